// Strict JSON, as a stream of events. The one way into the gateway for JSON text: FHIR, source records, tokens, key
// sets. Used by: fhir (element trees), identity, app. Thread rule: pure; a Handler belongs to one call. Failure rule:
// the first fault of the *text* ends the parse and is returned with its offset; what a document may contain is the
// handler's business, which stops the parse by returning false.
//
// What "strict" means beyond RFC 8259: UTF-8 only and checked first, no NUL and no control character anywhere, no lone
// surrogate escapes, no byte order mark, no duplicate keys in an object, one value per text, depth and size bounded.
// Numbers are never turned into floating point: the handler gets their digits (FHIR decimals keep their precision). A
// number outside the range of an IEEE double (1e400) is refused, since no receiver could hold it.
//
// RapidJSON's SAX reader does the tokens, in place on a copy: strings come out decoded where they stood, so a tree that
// keeps the copy needs no further copies of its values. Rejected: RapidJSON's DOM (recursion without end on ==, no
// number text), its encoding validation (reads past a cut sequence) and its own surrogate check (takes a lone low
// half).
#pragma once

#include "gateway/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lotsen::json {

struct Limits {
  std::uint32_t maxDepth = 64;       // nested objects and arrays
  std::size_t maxBytes = 20u << 20;  // of the text
};

/// Receives the events in document order. `offset` is where the token starts in the text, in bytes. Return false to
/// stop.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual bool null(std::size_t offset) = 0;
  virtual bool boolean(bool value, std::size_t offset) = 0;
  virtual bool number(std::string_view digits, std::size_t offset) = 0;
  virtual bool string(std::string_view value, std::size_t offset) = 0;
  virtual bool key(std::string_view name, std::size_t offset) = 0;
  virtual bool startObject(std::size_t offset) = 0;
  virtual bool endObject(std::size_t offset) = 0;
  virtual bool startArray(std::size_t offset) = 0;
  virtual bool endArray(std::size_t offset) = 0;
};

struct Fault {
  Code code = Code::Invalid;  // Invalid, or TooLarge for a limit
  std::string_view
      rule;  // stable name: "json-syntax", "json-duplicate-key" …; "json-stopped" if the handler returned false
  std::string text;  // what is wrong, without any value of the document
  std::size_t offset = 0;
};

/// Bytes that `scratch` must have for a text of `size` bytes.
constexpr std::size_t scratchSize(std::size_t size) {
  return size + 32;
}

/// Parses `text`. The views given to the handler point into `scratch` and stay valid as long as it does.
/// REQUIRES: scratchSize(text.size()) bytes at `scratch`, not overlapping `text`.
std::optional<Fault> parse(std::string_view text, char* scratch, const Limits& limits, Handler& handler);

/// The same with scratch of its own: the views are valid during the event only.
std::optional<Fault> parse(std::string_view text, const Limits& limits, Handler& handler);

struct Place {
  std::uint32_t line = 1;    // from 1
  std::uint32_t column = 1;  // from 1, in bytes
};

/// Turns offsets into lines and columns while the parse goes on: REQUIRES offsets that do not decrease.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}
  Place at(std::size_t offset);

 private:
  std::string_view text_;
  std::size_t seen_ = 0;
  std::size_t lineStart_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace lotsen::json
