// The OpenAPI description of the gateway's routes, compiled in: GET /api/v1/openapi.json. It is the contract: tests/inbound keeps
// its states and reason codes in step with the code.
#pragma once

namespace lotsen::inbound {

extern const char* const kOpenApi;

}  // namespace lotsen::inbound
