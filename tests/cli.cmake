# Transcripts of the command line: cli/*.t, run by cli/run.sh (which see). `ninja update-cli-transcripts` rewrites them.
if(TARGET nn-meter)
    file(GLOB transcripts CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/cli/*.t")
    foreach(transcript IN LISTS transcripts)
        get_filename_component(name "${transcript}" NAME_WE)
        add_test(NAME cli.${name} COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/cli/run.sh" $<TARGET_FILE:nn-meter> "${transcript}")
        set_tests_properties(cli.${name} PROPERTIES TIMEOUT 600 RESOURCE_LOCK machine)
    endforeach()
    add_test(NAME cli.doctor_activity
        COMMAND ${PYTHON3} "${CMAKE_CURRENT_SOURCE_DIR}/cli/doctor_activity.py" $<TARGET_FILE:nn-meter>)
    set_tests_properties(cli.doctor_activity PROPERTIES TIMEOUT 600 RESOURCE_LOCK machine)
    add_custom_target(update-cli-transcripts
        COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/cli/run.sh" -u $<TARGET_FILE:nn-meter> ${transcripts} VERBATIM)
endif()
