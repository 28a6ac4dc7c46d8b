# The suite runner is shared by the conformance test and the bench.
target_sources(test_fhirpath PRIVATE ${CMAKE_CURRENT_LIST_DIR}/suite.cc)
find_package(ZLIB REQUIRED)
target_link_libraries(test_fhirpath PRIVATE ZLIB::ZLIB)  # one of the suites is stored compressed
