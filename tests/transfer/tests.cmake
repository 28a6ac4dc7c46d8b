# The published record models, schemas and tables are made from mappings/*/*.fields.
add_test(NAME mappings.models COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/mappings/models.py --check)
