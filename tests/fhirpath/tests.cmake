# The suite runner is shared by the conformance test and the bench.
target_sources(test_fhirpath PRIVATE ${CMAKE_CURRENT_LIST_DIR}/suite.cc)
find_package(ZLIB REQUIRED)
target_link_libraries(test_fhirpath PRIVATE ZLIB::ZLIB)  # one of the suites is stored compressed
# FHIRPath has no threads, and ThreadSanitizer makes the expressions that run into the limits take many minutes.
if(CMAKE_CXX_FLAGS_DEBUG MATCHES "-fsanitize=thread")
  set_tests_properties(fhirpath PROPERTIES ENVIRONMENT GTEST_FILTER=-Hostile/*)
endif()
