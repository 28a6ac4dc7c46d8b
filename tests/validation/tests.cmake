# HL7's own examples, as a test of its own: where their package cannot be had it is skipped, and CTest counts that.
if(TARGET test_validation)
  set_tests_properties(validation PROPERTIES ENVIRONMENT GTEST_FILTER=-R4Examples.*)
  add_test(NAME validation.r4-examples COMMAND test_validation --gtest_filter=R4Examples.*)
  set_tests_properties(validation.r4-examples PROPERTIES LABELS unit TIMEOUT 300 SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
endif()
