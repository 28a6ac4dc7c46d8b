#include "gateway/definitions/concept_maps.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lotsen::definitions {

namespace {

constexpr int kDeepest = 8;  // maps that send what they lack to each other

bool isExact(Equivalence equivalence) {
  return equivalence == Equivalence::Equal || equivalence == Equivalence::Equivalent;
}

bool sameSystem(std::string_view one, std::string_view other) {
  return one.empty() || other.empty() || one == other;
}

}  // namespace

ConceptMap::ConceptMap(std::string url, std::string version, std::vector<Entry> entries, std::vector<Unmapped> unmapped)
    : url_(std::move(url)), version_(std::move(version)), entries_(std::move(entries)), unmapped_(std::move(unmapped)) {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.source < b.source; });
}

void ConceptMaps::add(ConceptMap map) {
  std::string key = map.url() + "|" + map.version();
  byCanonical_.insert_or_assign(std::move(key), std::move(map));
}

const ConceptMap* ConceptMaps::find(std::string_view canonical) const {
  if (canonical.find('|') != std::string_view::npos) {
    const auto found = byCanonical_.find(canonical);
    return found == byCanonical_.end() ? nullptr : &found->second;
  }
  const ConceptMap* newest = nullptr;
  const std::string prefix = std::string(canonical) + "|";
  for (auto at = byCanonical_.lower_bound(prefix); at != byCanonical_.end() && at->first.starts_with(prefix); ++at) {
    newest = &at->second;
  }
  return newest;
}

Translation ConceptMaps::translate(const ConceptMap& map, std::string_view system, std::string_view code) const {
  return translate(map, system, code, 0);
}

Translation ConceptMaps::translate(const ConceptMap& map, std::string_view system, std::string_view code,
                                   int depth) const {
  if (depth > kDeepest) return {Translation::Kind::Endless, {}, {}, {}};
  const auto before = [](const ConceptMap::Entry& entry, std::string_view wanted) { return entry.source < wanted; };
  const ConceptMap::Entry* best = nullptr;
  bool listed = false;
  bool several = false;
  for (auto at = std::lower_bound(map.entries_.begin(), map.entries_.end(), code, before);
       at != map.entries_.end() && at->source == code; ++at) {
    if (!sameSystem(at->sourceSystem, system)) continue;
    listed = true;
    if (at->equivalence > Equivalence::Subsumes || at->conditional) continue;
    if (best != nullptr && isExact(best->equivalence) && !isExact(at->equivalence)) continue;
    const bool better = best == nullptr || isExact(at->equivalence) > isExact(best->equivalence);
    const bool same = !better && best->target == at->target && best->targetSystem == at->targetSystem;
    several = !better && (several || !same);
    if (better) best = &*at;
  }
  if (several) return {Translation::Kind::Several, {}, {}, {}};
  if (best != nullptr) return {Translation::Kind::Found, best->targetSystem, best->target, best->display};
  if (listed) return {};
  for (const ConceptMap::Unmapped& rest : map.unmapped_) {
    if (!sameSystem(rest.sourceSystem, system)) continue;
    switch (rest.mode) {
      case ConceptMap::UnmappedMode::Provided:
        return {Translation::Kind::Found, system.empty() ? std::string_view(rest.sourceSystem) : system, code, {}};
      case ConceptMap::UnmappedMode::Fixed:
        return {Translation::Kind::Found, rest.targetSystem, rest.code, rest.display};
      case ConceptMap::UnmappedMode::OtherMap:
        if (const ConceptMap* other = find(rest.url); other != nullptr)
          return translate(*other, system, code, depth + 1);
    }
  }
  return {};
}

Equivalence equivalenceOf(std::string_view code) {
  static constexpr std::array<std::pair<std::string_view, Equivalence>, 14> kCodes = {{
      {"relatedto", Equivalence::RelatedTo},
      {"equal", Equivalence::Equal},
      {"equivalent", Equivalence::Equivalent},
      {"wider", Equivalence::Wider},
      {"subsumes", Equivalence::Subsumes},
      {"inexact", Equivalence::Inexact},
      {"narrower", Equivalence::Narrower},
      {"specializes", Equivalence::Specializes},
      {"unmatched", Equivalence::Unmatched},
      {"disjoint", Equivalence::Disjoint},
      {"related-to", Equivalence::RelatedTo},
      {"source-is-narrower-than-target", Equivalence::Wider},
      {"source-is-broader-than-target", Equivalence::Narrower},
      {"not-related-to", Equivalence::Disjoint},
  }};
  const auto found = std::find_if(kCodes.begin(), kCodes.end(), [code](const auto& row) { return row.first == code; });
  return found == kCodes.end() ? Equivalence::Unmatched : found->second;
}

std::string uriOfOid(std::string_view oid) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kKnown = {{
      {"2.16.840.1.113883.6.96", "http://snomed.info/sct"},
      {"2.16.840.1.113883.6.1", "http://loinc.org"},
      {"2.16.840.1.113883.6.8", "http://unitsofmeasure.org"},
      {"2.16.840.1.113883.6.3", "http://hl7.org/fhir/sid/icd-10"},
      {"2.16.840.1.113883.6.90", "http://hl7.org/fhir/sid/icd-10-cm"},
      {"2.16.840.1.113883.6.73", "http://www.whocc.no/atc"},
      {"2.16.840.1.113883.6.88", "http://www.nlm.nih.gov/research/umls/rxnorm"},
      {"2.16.840.1.113883.12.292", "http://hl7.org/fhir/sid/cvx"},
      {"2.16.840.1.113883.4.1", "http://hl7.org/fhir/sid/us-ssn"},
      {"2.16.840.1.113883.4.6", "http://hl7.org/fhir/sid/us-npi"},
      {"2.16.840.1.113883.5.1", "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender"},
      {"1.0.3166.1.2.2", "urn:iso:std:iso:3166"},
  }};
  for (const auto& [known, uri] : kKnown) {
    if (known == oid) return std::string(uri);
  }
  const bool dotted = oid.find('.') != std::string_view::npos;
  const bool hyphened = oid.size() == 36 && oid[8] == '-';
  return (dotted ? "urn:oid:" : hyphened ? "urn:uuid:" : "") + std::string(oid);
}

}  // namespace lotsen::definitions
