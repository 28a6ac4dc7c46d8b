// A ConceptMap resource as it is needed here. Read from the JSON events and not from an element tree: packages hold R4
// and R5 resources side by side, and the Schema knows the elements of R4 only.
#include "gateway/definitions/concept_maps.h"
#include "gateway/definitions/package.h"
#include "gateway/json/reader.h"

#include <utility>

namespace lotsen::definitions {

namespace {

class Reader : public json::Handler {
 public:
  bool null(std::size_t) override { return true; }
  bool boolean(bool value, std::size_t) override {
    if (value && at("group.element.noMap")) noMap_ = true;
    return true;
  }
  bool number(std::string_view, std::size_t) override { return true; }
  bool key(std::string_view name, std::size_t) override {
    path_.resize(lengths_.back());
    if (!path_.empty()) path_.push_back('.');
    path_.append(name);
    return true;
  }
  bool startArray(std::size_t) override { return true; }
  bool endArray(std::size_t) override { return true; }

  bool startObject(std::size_t) override {
    lengths_.push_back(path_.size());
    if (at("group")) begun_ = {};
    if (at("group.element")) {
      code_.clear();
      noMap_ = false;
      targets_ = 0;
    }
    if (at("group.element.target")) {
      begun_.entries.emplace_back();
      ++targets_;
    }
    if (at("group.element.target.dependsOn")) begun_.entries.back().conditional = true;
    if (at("group.unmapped")) begun_.unmapped.emplace_back();
    return true;
  }

  bool endObject(std::size_t) override {
    path_.resize(lengths_.back());
    lengths_.pop_back();
    if (at("group.element")) endElement();
    if (at("group")) endGroup();
    return true;
  }

  bool string(std::string_view value, std::size_t) override {
    if (at("resourceType")) isConceptMap_ = value == "ConceptMap";
    if (at("url")) url_ = value;
    if (at("version")) version_ = value;
    if (at("group.source")) begun_.source = withoutVersion(value);
    if (at("group.target")) begun_.target = withoutVersion(value);
    if (at("group.element.code")) code_ = value;
    if (path_.starts_with("group.element.target.")) target(std::string_view(path_).substr(21), value);
    if (path_.starts_with("group.unmapped.")) unmapped(std::string_view(path_).substr(15), value);
    return true;
  }

  std::optional<ConceptMap> finish() && {
    if (!isConceptMap_) return std::nullopt;
    return ConceptMap(std::move(url_), std::move(version_), std::move(entries_), std::move(unmapped_));
  }

 private:
  struct Group {
    std::string source;
    std::string target;
    std::vector<ConceptMap::Entry> entries;
    std::vector<ConceptMap::Unmapped> unmapped;
  };

  bool at(std::string_view path) const { return path_ == path; }
  static std::string withoutVersion(std::string_view canonical) {
    return std::string(canonical.substr(0, canonical.find('|')));
  }

  void target(std::string_view member, std::string_view value) {
    ConceptMap::Entry& entry = begun_.entries.back();
    if (member == "code") entry.target = value;
    if (member == "display") entry.display = value;
    if (member == "equivalence" || member == "relationship") entry.equivalence = equivalenceOf(value);
  }

  void unmapped(std::string_view member, std::string_view value) {
    ConceptMap::Unmapped& rest = begun_.unmapped.back();
    if (member == "mode" && value == "fixed") rest.mode = ConceptMap::UnmappedMode::Fixed;
    if (member == "mode" && value == "other-map") rest.mode = ConceptMap::UnmappedMode::OtherMap;
    if (member == "code") rest.code = value;
    if (member == "display") rest.display = value;
    if (member == "url" || member == "otherMap") rest.url = value;
  }

  /// The members of an object come in any order: its code is known only now.
  void endElement() {
    if (noMap_ || targets_ == 0) {
      begun_.entries.emplace_back().equivalence = Equivalence::Unmatched;
      ++targets_;
    }
    for (std::size_t i = begun_.entries.size() - targets_; i < begun_.entries.size(); ++i)
      begun_.entries[i].source = code_;
  }

  void endGroup() {
    for (ConceptMap::Entry& entry : begun_.entries) {
      entry.sourceSystem = begun_.source;
      entry.targetSystem = begun_.target;
      entries_.push_back(std::move(entry));
    }
    for (ConceptMap::Unmapped& rest : begun_.unmapped) {
      rest.sourceSystem = begun_.source;
      rest.targetSystem = begun_.target;
      unmapped_.push_back(std::move(rest));
    }
  }

  bool isConceptMap_ = false;
  std::string url_;
  std::string version_;
  std::vector<ConceptMap::Entry> entries_;
  std::vector<ConceptMap::Unmapped> unmapped_;

  std::string path_;                  // member names down to the value at hand, dots between; arrays do not count
  std::vector<std::size_t> lengths_;  // of path_, for each object that is open
  Group begun_;
  std::string code_;
  bool noMap_ = false;
  std::size_t targets_ = 0;  // of the element at hand
};

}  // namespace

std::optional<ConceptMap> readConceptMap(std::string_view json) {
  Reader reader;
  if (json::parse(json, {.maxDepth = 64, .maxBytes = kLargestFile}, reader)) return std::nullopt;
  return std::move(reader).finish();
}

}  // namespace lotsen::definitions
