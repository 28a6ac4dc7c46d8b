// What values must be beyond their grammar: an attachment's size, identifiers in URIs, addresses for examples, links in
// narratives.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/values.h"
#include "gateway/validation/walk.h"

#include <algorithm>
#include <array>

namespace lotsen::validation {

using fhir::child;
using fhir::Element;
using fhir::valueAt;

namespace {

bool isUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool isOid(std::string_view text) {
  if (text.size() < 3 || text[0] < '0' || text[0] > '2' || text.back() == '.') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' ? text[i - 1] == '.' : c < '0' || c > '9') return false;
    if (c == '0' && i > 0 && text[i - 1] == '.' && i + 1 < text.size() && text[i + 1] != '.') return false;
  }
  return true;
}

}  // namespace

bool isExample(std::string_view url) {
  const auto start = url.find("://");
  if (start == std::string_view::npos) return false;
  std::string_view host = url.substr(start + 3);
  host = host.substr(0, host.find_first_of("/:?#"));
  constexpr std::array<std::string_view, 3> kNames = {"example.org", "example.com", "example.net"};
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) {
    return host.ends_with(name) && (host.size() == name.size() || host[host.size() - name.size() - 1] == '.');
  });
}

/// REQUIRES: a value of type uri or one that derives from it.
void Walk::uri(const Element* node) {
  const std::string_view text = node->value();
  if (text.starts_with("urn:uuid:") && !isUuid(text.substr(9))) {
    report_.error("value", "uri-uuid", "a UUID has 32 hexadecimal digits in lower case, in groups of 8-4-4-4-12", node);
  } else if (text.starts_with("urn:oid:") && !isOid(text.substr(8))) {
    report_.error("value", "uri-oid", "not an OID: numbers without leading zeros, joined by points", node);
  }
  if (options_.exampleUrls != Policy::Ignore && isExample(text)) {
    report_.add(options_.exampleUrls, "business-rule", "example-url",
                "an address that is reserved for examples may not stand in real data", node);
  }
}

void Walk::attachment(const Element* node) {
  const Element* data = child(document_, node, "data");
  const std::string_view size = valueAt(document_, node, "size");
  if (data == nullptr || !data->hasValue() || size.empty()) return;
  // Four characters are three bytes, padding and blanks are none.
  const std::string_view text = data->value();
  const auto digits = static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return c != '=' && c != ' ' && c != '\n' && c != '\r' && c != '\t'; }));
  if (std::to_string(digits * 3 / 4) == size) return;
  report_.error("structure", "attachment-size",
                "size is not the number of bytes in data, which is " + std::to_string(digits * 3 / 4), node);
}

namespace {

/// What a link may lead to: ids of elements, and ids and names inside narratives.
void collectAnchors(const Element* root, fhir::NameId idName, std::unordered_set<std::string_view>& anchors) {
  for (const Element* node = root->first; node != nullptr; node = node->next) {
    if (node->name == idName && node->hasValue()) anchors.insert(node->value());
    if (node->type == fhir::r4::kXhtml) {
      const std::string_view text = node->value();
      for (const std::string_view attribute : {" id=\"", " name=\""}) {
        for (auto at = text.find(attribute); at != std::string_view::npos; at = text.find(attribute, at + 1)) {
          const auto start = at + attribute.size();
          anchors.insert(text.substr(start, text.find('"', start) - start));
        }
      }
    }
    if (node->first != nullptr) collectAnchors(node, idName, anchors);
  }
}

}  // namespace

/// Links inside a narrative lead to something in its resource.
void Walk::links(const Element* narrative) {
  constexpr std::string_view kLink = " href=\"#";
  const std::string_view text = narrative->value();
  auto at = text.find(kLink);
  if (at == std::string_view::npos) return;
  const Element* root = narrative;
  while (root->parent != nullptr && (!root->isResource || root->name == names_.contained)) { root = root->parent; }
  if (root != anchorsOf_) {
    anchors_.clear();
    collectAnchors(root, names_.id, anchors_);
    anchorsOf_ = root;
  }
  for (; at != std::string_view::npos; at = text.find(kLink, at + 1)) {
    const auto start = at + kLink.size();
    const std::string_view id = text.substr(start, text.find('"', start) - start);
    if (id.empty() || anchors_.contains(id)) continue;
    report_.error("invalid", "narrative-link",
                  "a link of the narrative (href=\"#…\") leads to nothing in this resource", narrative);
  }
}

}  // namespace lotsen::validation
