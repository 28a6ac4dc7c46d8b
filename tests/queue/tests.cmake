# The delivery core is tested on the memory store. Its simulation is a test of its own: 2,000 worlds, one core; a tenth
# of them under a sanitizer, which makes each ten times as slow.
if(TARGET test_queue)
  target_sources(test_queue PRIVATE
    ${CMAKE_CURRENT_SOURCE_DIR}/queue/simulation.cc ${CMAKE_CURRENT_SOURCE_DIR}/queue/simulation_service.cc)
  target_link_libraries(test_queue PRIVATE lotsen_store_memory)
  set_tests_properties(queue PROPERTIES ENVIRONMENT GTEST_FILTER=-Simulation.*)
  add_test(NAME simulation COMMAND test_queue --gtest_filter=Simulation.*)
  set_tests_properties(simulation PROPERTIES LABELS unit TIMEOUT 300)
  if(CMAKE_CXX_FLAGS_DEBUG MATCHES "-fsanitize")
    set_tests_properties(simulation PROPERTIES ENVIRONMENT LOTSEN_SEEDS=200)
  endif()
endif()
