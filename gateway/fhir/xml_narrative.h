// A narrative on its way from XML into the tree, where it is one string: as it stands in the source, so that nothing in
// it changes, or written anew from its events where it uses names or prefixes that are declared around it.
// Used by: the XML reader. Thread rule: one thread. Failure rule: none. Private to gateway/fhir.
#pragma once

#include "gateway/xml/reader.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::fhir {

/// Places to byte offsets, forward only. expat counts characters, and takes CR, LF and CR LF for one line end each.
class Offsets {
 public:
  explicit Offsets(std::string_view text) : text_(text) {}
  std::size_t at(xml::Place place);

 private:
  std::string_view text_;
  std::size_t lineStart_ = 0;
  std::uint32_t line_ = 1;
};

class Narrative {
 public:
  explicit Narrative(std::string_view source) : source_(source), offsets_(source) {}

  bool active() const { return !names_.empty(); }
  /// The first start since the last end() that said true begins a narrative, in its own namespace. False if something
  /// of another namespace stands there: it could not be written again without its prefix, and does not belong here.
  bool start(std::string_view space, std::string_view name, std::span<const xml::Attribute> attributes, xml::Place at);
  void characters(std::string_view characters);
  /// True when the outermost element ended: text() is whole.
  bool end(xml::Place at);
  /// Valid until the next start().
  std::string_view text() const { return original_.empty() ? std::string_view(rewritten_) : original_; }

 private:
  void closeTag();
  std::string_view original(const std::string& name, xml::Place end);

  std::string_view source_;
  Offsets offsets_;
  std::string space_;
  std::vector<std::string> names_;  // of the open elements
  std::size_t start_ = 0;
  std::string rewritten_;
  std::string_view original_;
  bool inTag_ = false;
};

}  // namespace lotsen::fhir
