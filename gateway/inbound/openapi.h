// The OpenAPI description of the gateway's routes (openapi.json), compiled in: GET /api/v1/openapi.json. It is the
// contract of those who call; tests/house/reasons.py keeps its reason codes in step with the code.
#pragma once

namespace lotsen::inbound {

extern const char* const kOpenApi;

}  // namespace lotsen::inbound
