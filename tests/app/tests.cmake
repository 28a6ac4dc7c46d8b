# Everything that the shipped mappings have is reached by a golden case: fields, rules, drops.
if(TARGET lotsen)
  add_test(NAME golden COMMAND lotsen mapping test --complete fixtures WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(golden PROPERTIES LABELS unit TIMEOUT 300)
endif()

# A program with figures, not a test: ops/dev/bench queue builds and runs it.
add_executable(bench_queue EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/app/queue_bench.cc)
target_link_libraries(bench_queue PRIVATE lotsen_queue lotsen_store_sqlite)
