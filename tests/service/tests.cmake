# The golden cases of the maps (fixtures/): a binary of its own, because it needs neither queue nor store.
add_executable(test_golden ${CMAKE_CURRENT_LIST_DIR}/golden.cc)
target_compile_definitions(test_golden PRIVATE LOTSEN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(test_golden PRIVATE lotsen_mapping lotsen_validation lotsen_transfer lotsen_test_support GTest::gtest_main)
add_test(NAME golden COMMAND test_golden)
set_tests_properties(golden PROPERTIES LABELS unit TIMEOUT 300)
