# End-to-end: the real binary between partners in Python, over HTTP. One CTest test a file; each has its own gateway and folder.
add_test(NAME e2e.partners COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_partners.py)
set_tests_properties(e2e.partners PROPERTIES LABELS e2e TIMEOUT 60)
if(TARGET lotsen)
  foreach(name mapping_guide formats snapshot routes gates delivery intake guard operator reprocess bad_input faults tls personalities full_disk crash)
    add_test(NAME e2e.${name} COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_${name}.py)
    set_tests_properties(e2e.${name} PROPERTIES LABELS e2e TIMEOUT 300 ENVIRONMENT "LOTSEN_BINARY=$<TARGET_FILE:lotsen>")
  endforeach()
  set_tests_properties(e2e.crash PROPERTIES TIMEOUT 1800 RUN_SERIAL TRUE)
  # It weighs the process; AddressSanitizer keeps what is freed, up to 256 MB if it is not told otherwise.
  set_tests_properties(e2e.tls PROPERTIES ENVIRONMENT_MODIFICATION "ASAN_OPTIONS=set:quarantine_size_mb=1")
  # A sanitizer wants to be loaded first, so its builds have no named points to be killed at.
  if(NOT CMAKE_CXX_FLAGS MATCHES "fsanitize" AND NOT CMAKE_CXX_FLAGS_DEBUG MATCHES "fsanitize")
    add_library(lotsen_kill_points MODULE ${CMAKE_CURRENT_SOURCE_DIR}/e2e/kill_points.cc)
    set_tests_properties(e2e.crash PROPERTIES
      ENVIRONMENT "LOTSEN_BINARY=$<TARGET_FILE:lotsen>;LOTSEN_KILL_POINTS=$<TARGET_FILE:lotsen_kill_points>")
  endif()
endif()
