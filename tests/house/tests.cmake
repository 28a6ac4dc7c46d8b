# house.layers is registered in tests/CMakeLists.txt: it comes with the layer table.
add_test(NAME house.tree COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/house/tree.py ${PROJECT_SOURCE_DIR})
set_tests_properties(house.layers house.tree PROPERTIES LABELS house TIMEOUT 60)
add_test(NAME house.reasons COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/house/reasons.py ${PROJECT_SOURCE_DIR})
set_tests_properties(house.reasons PROPERTIES LABELS house TIMEOUT 60)
add_test(NAME house.setup COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/house/setup.sh ${PROJECT_SOURCE_DIR})
set_tests_properties(house.setup PROPERTIES LABELS house TIMEOUT 60)
