# Writes OUTPUT, a C file with the text of every file of CSV_FILES as a table {name, text}.
# String literals are kept short per line; the C compiler joins them.
set(entries "")
foreach(path IN LISTS CSV_FILES)
    get_filename_component(name "${path}" NAME_WE)
    file(STRINGS "${path}" lines)
    string(APPEND entries "    {\"${name}\",\n")
    foreach(line IN LISTS lines)
        string(APPEND entries "     \"${line}\\n\"\n")
    endforeach()
    string(APPEND entries "    },\n")
endforeach()
file(WRITE "${OUTPUT}" "/* Generated from data/prior by cmake/EmbedCsv.cmake. */
#include \"sampling/prior_tables.h\"

const nnm_prior_table nnm_prior_tables[] = {
${entries}    {0, 0},
};
")
