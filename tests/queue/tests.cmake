# The delivery core is tested on the memory store.
if(TARGET test_queue)
  target_link_libraries(test_queue PRIVATE lotsen_store_memory)
endif()
