// Reading the JSON body of a verb: every member is known, of the right form and not too long, or it is a fault with its
// path. A condition that is spelled wrong must not select all. Used by: reprocess.cc, orders.cc. Thread rule: pure.
// Failure rule: faults go to the issues; what is returned then is of no use.
#pragma once

#include "gateway/base/text.h"
#include "gateway/fhir/forms.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::inbound {

/// Reads the members of one object; whoever reads one says what it may be.
class Body {
 public:
  using Element = fhir::Element;
  static constexpr std::size_t kMaxWord = 200;

  Body(const fhir::Document& document, fhir::Issues& issues) : document_(document), issues_(issues) {}

  void fault(const Element* at, std::string_view rule, std::string text) const {
    const std::string path = fhir::pathOf(document_, at);  // the root's name, ".", the members
    const auto dot = path.find('.');
    issues_.error("invalid", rule, std::move(text), dot == std::string::npos ? "" : path.substr(dot + 1), at->at);
  }

  /// A fault for every member that is not one of these, with the nearest that is.
  void allow(const Element* object, const std::vector<std::string_view>& names) const {
    for (const Element* each = object->first; each != nullptr; each = each->next) {
      const auto name = document_.nameText(each->name);
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      const auto near = nearest(name, names);
      fault(each, "unknown-member",
            "there is no such member" + (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
    }
  }

  /// The one member of that name and form; nullptr if there is none.
  const Element* member(const Element* object, std::string_view name, fhir::Token token) const {
    const Element* found = fhir::child(document_, object, name);
    if (found == nullptr) return nullptr;
    if (found->token == token && !found->listed && found->first == nullptr) return found;
    fault(found, "member-form",
          token == fhir::Token::String   ? "this must be a string"
          : token == fhir::Token::Number ? "this must be a number"
                                         : "this must be true or false");
    return nullptr;
  }

  std::string word(const Element* object, std::string_view name, std::size_t most = kMaxWord) const {
    const Element* found = member(object, name, fhir::Token::String);
    if (found == nullptr) return {};
    if (found->value().size() > most) fault(found, "too-long", "this has more than " + std::to_string(most) + " bytes");
    return std::string(found->value());
  }

  std::optional<Instant> instant(const Element* object, std::string_view name) const {
    const Element* found = member(object, name, fhir::Token::String);
    if (found == nullptr) return std::nullopt;
    const auto read = parseInstant(found->value());
    if (read.ok()) return *read;
    fault(found, "instant", "this must be an instant with its zone, like 2026-03-02T00:00:00Z");
    return std::nullopt;
  }

  std::uint64_t number(const Element* object, std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                       std::uint64_t most) const {
    const Element* found = member(object, name, fhir::Token::Number);
    if (found == nullptr) return otherwise;
    std::uint64_t value = 0;
    const auto digits = found->value();
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec == std::errc() && read.ptr == digits.data() + digits.size() && value >= least && value <= most)
      return value;
    fault(found, name, "this must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return otherwise;
  }

  bool flag(const Element* object, std::string_view name) const {
    const Element* found = member(object, name, fhir::Token::Boolean);
    return found != nullptr && found->value() == "true";
  }

  const fhir::Document& document() const { return document_; }

 private:
  const fhir::Document& document_;
  fhir::Issues& issues_;
};

/// The body as a JSON object; nullopt: the issues say what it is instead.
inline std::optional<fhir::Document> readBody(std::string_view text, fhir::Issues& issues) {
  auto document = fhir::readJson(text, fhir::Schema::r4(), {}, issues);
  if (!document.ok()) return std::nullopt;
  if (document->root()->type != fhir::kNone || document->root()->hasValue()) {
    issues.error("structure", "request-body", "the body must be a JSON object, and no FHIR resource");
    return std::nullopt;
  }
  return std::move(*document);
}

}  // namespace lotsen::inbound
