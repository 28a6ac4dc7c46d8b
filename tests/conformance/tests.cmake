# The profiles of mappings/profiles: what they accept and refuse, and that their pages are fresh.
if(TARGET lotsen)
  add_test(NAME profiles COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/conformance/profiles.py
    $<TARGET_FILE:lotsen> ${PROJECT_SOURCE_DIR})
  add_test(NAME profiles.pages COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/ops/dev/profile-pages --check
    $<TARGET_FILE:lotsen>)
  set_tests_properties(profiles profiles.pages PROPERTIES LABELS unit TIMEOUT 300)
endif()
