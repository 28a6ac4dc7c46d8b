# Everything that the shipped mappings have is reached by a golden case: fields, rules, drops.
if(TARGET lotsen)
  add_test(NAME golden COMMAND lotsen mapping test --complete fixtures WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(golden PROPERTIES LABELS unit TIMEOUT 300)
endif()
