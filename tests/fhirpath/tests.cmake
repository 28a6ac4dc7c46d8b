# The suite runner is shared by the conformance test and the bench.
target_sources(test_fhirpath PRIVATE ${CMAKE_CURRENT_LIST_DIR}/suite.cc)
