/*
 * The tables of a journal, version 1. docs/kernel-data.md explains them to people who open a journal with other tools.
 * Raw samples are 64-bit IEEE numbers, least significant byte first.
 */
#ifndef NNM_STORE_JOURNAL_SCHEMA_H
#define NNM_STORE_JOURNAL_SCHEMA_H

#define NNM_JOURNAL_APPLICATION_ID 0x4E4E4D4A /* "NNMJ" */
#define NNM_JOURNAL_VERSION 1

#define NNM_JOURNAL_SCHEMA                                                         \
    "CREATE TABLE run ("                                                           \
    "  id INTEGER PRIMARY KEY,"                                                    \
    "  began_unix_s REAL NOT NULL,"                                                \
    "  nnmeter_version TEXT NOT NULL,"                                             \
    "  backend TEXT NOT NULL,"                                                     \
    "  runtime_version TEXT NOT NULL,"                                             \
    "  threads INTEGER NOT NULL,"                                                  \
    "  rounds INTEGER NOT NULL,"                                                   \
    "  warmup_ms REAL NOT NULL,"                                                   \
    "  sample_us REAL NOT NULL,"                                                   \
    "  round_ms REAL NOT NULL,"                                                    \
    "  budget_s REAL NOT NULL,"                                                    \
    "  timeout_s REAL NOT NULL,"                                                   \
    "  memory_limit_mib INTEGER NOT NULL,"                                         \
    "  cpu_setting INTEGER NOT NULL,"                                              \
    "  gate REAL NOT NULL,"                                                        \
    "  host TEXT NOT NULL,"                                                        \
    "  cpu_name TEXT NOT NULL,"                                                    \
    "  kernel_release TEXT NOT NULL,"                                              \
    "  governor TEXT NOT NULL,"                                                    \
    "  cpus INTEGER NOT NULL,"                                                     \
    "  memory_gib REAL NOT NULL,"                                                  \
    "  load REAL NOT NULL,"                                                        \
    "  clock_ghz REAL NOT NULL,"                                                   \
    "  timer_ns REAL NOT NULL,"                                                    \
    "  may_realtime INTEGER NOT NULL"                                              \
    ") STRICT;"                                                                    \
    "CREATE TABLE round ("                                                         \
    "  id INTEGER PRIMARY KEY,"                                                    \
    "  run INTEGER NOT NULL REFERENCES run (id),"                                  \
    "  kernel TEXT NOT NULL,"                                                      \
    "  kernel_id TEXT NOT NULL,"                                                   \
    "  config TEXT NOT NULL,"                                                      \
    "  began_unix_s REAL NOT NULL,"                                                \
    "  estimate_ns REAL NOT NULL,"                                                 \
    "  open_ns REAL NOT NULL,"                                                     \
    "  wall_ns REAL NOT NULL,"                                                     \
    "  calls_per_sample INTEGER NOT NULL,"                                         \
    "  sample_count INTEGER NOT NULL,"                                             \
    "  quiet_count INTEGER NOT NULL,"                                              \
    "  reference_best_ns REAL NOT NULL,"                                           \
    "  clock_ns REAL NOT NULL,"                                                    \
    "  cpu INTEGER NOT NULL,"                                                      \
    "  sample_ns BLOB NOT NULL CHECK (length(sample_ns) = 8 * sample_count),"      \
    "  reference_ns BLOB NOT NULL CHECK (length(reference_ns) = 8 * sample_count)" \
    ") STRICT;"                                                                    \
    "CREATE INDEX round_of_kernel ON round (kernel, kernel_id);"                   \
    "CREATE TABLE failure ("                                                       \
    "  id INTEGER PRIMARY KEY,"                                                    \
    "  run INTEGER NOT NULL REFERENCES run (id),"                                  \
    "  kernel TEXT NOT NULL,"                                                      \
    "  kernel_id TEXT NOT NULL,"                                                   \
    "  config TEXT NOT NULL,"                                                      \
    "  failed_unix_s REAL NOT NULL,"                                               \
    "  code INTEGER NOT NULL,"                                                     \
    "  code_name TEXT NOT NULL,"                                                   \
    "  message TEXT NOT NULL"                                                      \
    ") STRICT;"

#endif
