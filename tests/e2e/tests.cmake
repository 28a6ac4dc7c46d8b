# End-to-end: the real binary between partners in Python, over HTTP. One CTest test a file; each has its own gateway and folder.
add_test(NAME e2e.partners COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_partners.py)
set_tests_properties(e2e.partners PROPERTIES LABELS e2e TIMEOUT 60)
