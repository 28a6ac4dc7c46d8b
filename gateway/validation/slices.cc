// Which slice an element is in, and whether the slices have what they must.
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/sentences.h"
#include "gateway/validation/values.h"
#include "gateway/validation/walk.h"

#include <algorithm>

namespace lotsen::validation {

using definitions::kNoRow;
using definitions::ProfileElement;
using definitions::SlicingRules;
using fhir::child;
using fhir::Element;
using fhir::kNone;

/// The siblings from `first` to before `end`; the places from `candidates` on are the rows for all of them.
void Walk::profiledRun(const Element* first, const Element* end, std::size_t candidates) {
  const std::size_t ends = places_.size();
  const std::size_t counters = counts_.size();
  for (std::size_t at = candidates; at < ends; ++at) {
    cardinality(first, places_[at]);
    if (places_[at].element().firstSlice == kNoRow) continue;
    places_[at].counts = static_cast<std::uint32_t>(counts_.size());
    counts_.resize(counts_.size() + places_[at].plan->sliceCount());
  }
  for (const Element* node = first; node != end; node = node->next) {
    if (!report_.muted()) type(node);
    for (std::size_t at = candidates; at < ends; ++at) {
      const Place place = places_[at];
      places_.push_back(place);
      if (place.element().firstSlice != kNoRow) select(node, at, place.row);
    }
    if (node->isResource && node->type != kNone) {
      resource(node, ends);
    } else {
      this->node(node, ends);
    }
    places_.resize(ends);
  }
  for (std::size_t at = candidates; at < ends; ++at) {
    if (places_[at].element().firstSlice != kNoRow) countSlices(first, places_[at], places_[at].row);
  }
  counts_.resize(counters);
}

/// Puts the slices of `sliced` that `node` is in on the places, and theirs.
void Walk::select(const Element* node, std::size_t candidate, RowId sliced) {
  const Plan& plan = *places_[candidate].plan;
  const definitions::Slicing* slicing = plan.row(sliced).slicing;
  RowId in = kNoRow;
  for (RowId slice = plan.row(sliced).firstSlice; slice != kNoRow; slice = plan.row(slice).nextSlice) {
    if (!isIn(node, plan.slice(slice))) continue;
    if (in != kNoRow) {
      report_.error("structure", "slice-ambiguous",
                    "is of the kinds \"" + std::string(plan.row(in).sliceName) + "\" and \"" +
                        std::string(plan.row(slice).sliceName) + "\"; it may be of one only",
                    node, plan.profile().url());
      break;
    }
    in = slice;
  }
  Place& place = places_[candidate];
  const bool top = sliced == place.row;
  if (in == kNoRow) {
    if (top) place.open = true;
    if (slicing == nullptr || slicing->rules != SlicingRules::Closed) return;
    std::string names;
    for (RowId slice = plan.row(sliced).firstSlice; slice != kNoRow; slice = plan.row(slice).nextSlice) {
      names += (names.empty() ? "\"" : ", \"") + std::string(plan.row(slice).sliceName) + '"' +
               markOf(plan.slice(slice), plan);
    }
    return report_.error("structure", "slice-closed", "is of none of the kinds that may stand here: " + names, node,
                         plan.profile().url());
  }
  const std::uint32_t number = plan.slice(in).number;
  ++counts_[place.counts + number];
  if (top && slicing != nullptr) {
    if (slicing->ordered && number + 1 < place.last) {
      report_.error("structure", "slice-order",
                    "\"" + std::string(plan.row(in).sliceName) + "\" must stand before what stands before it here",
                    node, plan.profile().url());
    }
    if (slicing->rules == SlicingRules::OpenAtEnd && place.open) {
      report_.error("structure", "slice-order",
                    "\"" + std::string(plan.row(in).sliceName) + "\" must stand before all of other kinds", node,
                    plan.profile().url());
    }
    place.last = std::max(place.last, number + 1);
  }
  const Place slicePlace{&plan, in, place.counts, 0, false};
  places_.push_back(slicePlace);
  if (plan.row(in).firstSlice != kNoRow) select(node, candidate, in);
}

void Walk::countSlices(const Element* first, const Place& place, RowId sliced) {
  const Plan& plan = *place.plan;
  for (RowId id = plan.row(sliced).firstSlice; id != kNoRow; id = plan.row(id).nextSlice) {
    const ProfileElement& slice = plan.row(id);
    const std::uint32_t count = counts_[place.counts + plan.slice(id).number];
    if (count < slice.min) {
      report_.error("required", "slice-min", sliceText(name(first), plan, id) + " " + atLeast(slice.min), first->parent,
                    place.url());
    }
    if (slice.max != fhir::kUnbounded && count > slice.max) {
      const Element* surplus = first;
      std::uint32_t seen = 0;
      for (const Element* at = first; at != first->runLast->next && seen <= slice.max; at = at->next) {
        if (!isIn(at, plan.slice(id))) continue;
        surplus = at;
        ++seen;
      }
      report_.error("structure", "slice-max", sliceText(name(first), plan, id) + " " + atMost(slice.max), surplus,
                    place.url());
    }
    if (slice.firstSlice != kNoRow && count > 0) countSlices(first, place, id);
  }
}

std::string Walk::sliceText(const std::string& element, const Plan& plan, RowId slice) {
  return '"' + element + "\" of the kind \"" + std::string(plan.row(slice).sliceName) + '"' +
         markOf(plan.slice(slice), plan);
}

bool Walk::isIn(const Element* node, const PlanSlice& slice) {
  return !slice.conditions.empty() && std::all_of(slice.conditions.begin(), slice.conditions.end(),
                                                  [&](const Condition& condition) { return holds(node, condition); });
}

/// FHIRPath's slice(): the slice of that name at this element's definition. One in a slice ("a/b") is in "a" too.
std::optional<bool> Walk::inSlice(const Element* node, std::string_view profile, std::string_view slice) {
  const Plan* known = validator_.plans_->find(profile);
  if (known == nullptr) return std::nullopt;
  const auto rows = known->profile().rows();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const ProfileElement& one) {
    return one.sliceName == slice && one.def == node->def && one.def != kNone;
  });
  if (row == rows.end()) return std::nullopt;
  for (auto id = static_cast<RowId>(row - rows.begin()); id != kNoRow && !rows[id].sliceName.empty();
       id = rows[id].unsliced) {
    if (!isIn(node, known->slice(id))) return false;
  }
  return true;
}

bool Walk::holds(const Element* node, const Condition& condition) {
  using Kind = Condition::Kind;
  std::vector<const Element*> found;
  follow(node, condition.path, 0, found);
  const auto any = [&](const auto& test) { return std::any_of(found.begin(), found.end(), test); };
  switch (condition.kind) {
    case Kind::Fixed: return any([&](const Element* at) { return isFixed(condition.value, at); });
    case Kind::Pattern: return any([&](const Element* at) { return hasPattern(condition.value, at); });
    case Kind::Text: return any([&](const Element* at) { return at->value() == condition.text; });
    case Kind::ValueSet:
      return any([&](const Element* at) { return coded(at, condition.text) == fhir::Schema::Membership::In; });
    case Kind::Exists: return !found.empty();
    case Kind::Absent: return found.empty();
    case Kind::Type:
      return any([&](const Element* at) {
        return std::any_of(condition.types.begin(), condition.types.end(),
                           [&](fhir::TypeId type) { return schema_.isA(at->type, type); });
      });
    case Kind::Profile:
      return any([&](const Element* at) {
        return std::any_of(condition.profiles.begin(), condition.profiles.end(),
                           [&](std::string_view canonical) { return conformsTo(at, canonical).value_or(false); });
      });
  }
  return false;
}

void Walk::follow(const Element* node, const Path& path, std::size_t step, std::vector<const Element*>& out) {
  if (step == path.size()) return out.push_back(node);
  const Step& next = path[step];
  switch (next.kind) {
    case Step::Kind::Child:
      for (const Element* at = child(node, next.name); at != nullptr && at->name == next.name; at = at->next) {
        follow(at, path, step + 1, out);
      }
      return;
    case Step::Kind::Extension: {
      const fhir::NameId name = names_.extension;
      for (const Element* at = child(node, name); at != nullptr && at->name == name; at = at->next) {
        if (fhir::valueAt(document_, at, "url") == next.url) follow(at, path, step + 1, out);
      }
      return;
    }
    case Step::Kind::OfType:
      if (schema_.isA(node->type, next.type)) follow(node, path, step + 1, out);
      return;
    case Step::Kind::Resolve:
      if (const Element* found = target(node, fhir::valueAt(document_, node, "reference"))) {
        follow(found, path, step + 1, out);
      }
      return;
  }
}

}  // namespace lotsen::validation
