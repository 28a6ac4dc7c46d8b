// The element tree as JSON text; private to gateway/fhir. Order::Sorted is the canonical form under the digest.
#pragma once

#include "gateway/fhir/forms.h"

namespace lotsen::fhir {

enum class Order : std::uint8_t { AsIs, Sorted };
std::string writeJson(const Document& document, const Element* node, Layout layout, Order order);

}  // namespace lotsen::fhir
