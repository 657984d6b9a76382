/*
 * The tables of a journal. docs/kernel-data.md explains them to people who open a journal with other tools. Each
 * version is the one before it and a step: a step that was released is never changed. Raw samples are 64-bit IEEE
 * numbers, least significant byte first.
 */
#ifndef NNM_STORE_JOURNAL_SCHEMA_H
#define NNM_STORE_JOURNAL_SCHEMA_H

#define NNM_JOURNAL_APPLICATION_ID 0x4E4E4D4A /* "NNMJ" */
#define NNM_JOURNAL_VERSION 2

#define NNM_JOURNAL_SCHEMA_1                                                       \
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

/*
 * Version 2. What a run depends on is complete: settings that have no column of their own stand in `settings` as
 * "KEY: value" lines. `sampled` and `collected` hold what files in results/ say beyond measurements.
 */
#define NNM_JOURNAL_SCHEMA_2                                            \
    "ALTER TABLE run ADD COLUMN optimization TEXT NOT NULL DEFAULT '';" \
    "ALTER TABLE run ADD COLUMN implement TEXT NOT NULL DEFAULT '';"    \
    "ALTER TABLE run ADD COLUMN settings TEXT NOT NULL DEFAULT '';"     \
    "ALTER TABLE round ADD COLUMN pass INTEGER NOT NULL DEFAULT 0;"     \
    "ALTER TABLE round ADD COLUMN realtime INTEGER NOT NULL DEFAULT 0;" \
    "ALTER TABLE round ADD COLUMN measured_ns REAL NOT NULL DEFAULT 0;" \
    "ALTER TABLE round ADD COLUMN waited_ns REAL NOT NULL DEFAULT 0;"   \
    "ALTER TABLE round ADD COLUMN sample_clock_ns BLOB;"                \
    "ALTER TABLE failure ADD COLUMN pass INTEGER NOT NULL DEFAULT 0;"   \
    "CREATE TABLE sampled ("                                            \
    "  id INTEGER PRIMARY KEY,"                                         \
    "  kernel TEXT NOT NULL,"                                           \
    "  mark TEXT NOT NULL,"                                             \
    "  kernel_id TEXT NOT NULL,"                                        \
    "  config TEXT NOT NULL,"                                           \
    "  entry TEXT NOT NULL,"                                            \
    "  UNIQUE (kernel, mark, kernel_id)"                                \
    ") STRICT;"                                                         \
    "CREATE TABLE collected ("                                          \
    "  id INTEGER PRIMARY KEY,"                                         \
    "  kernel TEXT NOT NULL,"                                           \
    "  mark TEXT NOT NULL,"                                             \
    "  kernel_id TEXT NOT NULL,"                                        \
    "  config TEXT NOT NULL,"                                           \
    "  entry TEXT NOT NULL,"                                            \
    "  UNIQUE (kernel, mark, kernel_id)"                                \
    ") STRICT;"                                                         \
    "CREATE TABLE node_time ("                                          \
    "  id INTEGER PRIMARY KEY,"                                         \
    "  run INTEGER NOT NULL REFERENCES run (id),"                       \
    "  kernel TEXT NOT NULL,"                                           \
    "  kernel_id TEXT NOT NULL,"                                        \
    "  config TEXT NOT NULL,"                                           \
    "  position INTEGER NOT NULL,"                                      \
    "  node TEXT NOT NULL,"                                             \
    "  operator TEXT NOT NULL,"                                         \
    "  mean_ns REAL NOT NULL"                                           \
    ") STRICT;"                                                         \
    "CREATE INDEX node_time_of_kernel ON node_time (kernel, kernel_id);"

#endif
