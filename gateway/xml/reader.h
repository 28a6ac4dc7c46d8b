// XML as a stream of events, without DTDs. Used by: fhir (XML form), wire (RIVTA and other source XML). Thread rule:
// pure; a Handler belongs to one call. Failure rule: the first fault of the *text* ends the parse and is returned with
// its place; what a document may contain is the handler's business, which stops by returning false.
//
// Refused before expat sees a byte: text that is not UTF-8, a declared other encoding or version, any DOCTYPE (so there
// are no entities to expand and nothing to fetch). Depth, size and the number of elements are bounded, attributes and
// namespaces at 256 of one element. expat makes the tokens. Rejected: Poco's parser, which gives expat pieces (a long
// value takes minutes) and DOMs. Comments and processing instructions are passed over, CDATA is text.
#pragma once

#include "gateway/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lotsen::xml {

struct Limits {
  std::uint32_t maxDepth = 64;
  std::size_t maxBytes = 20u << 20;
  std::uint32_t maxElements = 1'000'000;
};

struct Place {
  std::uint32_t line = 1;    // from 1
  std::uint32_t column = 1;  // from 1, in characters
};

struct Attribute {
  std::string_view space;  // namespace URI; empty for most
  std::string_view name;   // local name
  std::string_view value;
};

/// Receives the events in document order; views are valid during the call. Namespace declarations are not attributes.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual bool startElement(std::string_view space, std::string_view name, std::span<const Attribute> attributes,
                            Place at) = 0;
  virtual bool endElement(Place at) = 0;
  /// Character data; long or mixed text may come in parts.
  virtual bool text(std::string_view characters, Place at) = 0;
};

struct Fault {
  Code code = Code::Invalid;  // Invalid, or TooLarge for a limit
  std::string_view rule;  // stable name: "xml-syntax", "xml-doctype" …; "xml-stopped" if the handler returned false
  std::string text;
  Place at;
};

std::optional<Fault> parse(std::string_view text, const Limits& limits, Handler& handler);

}  // namespace lotsen::xml
