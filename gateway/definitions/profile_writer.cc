#include "gateway/definitions/profile_writer.h"

#include "gateway/fhir/r4/types.h"

#include <algorithm>

namespace lotsen::definitions {

namespace {

using fhir::kNone;
using fhir::valueAt;

constexpr std::string_view kChoice = "[x]";

std::string_view withoutChoice(std::string_view segment) {
  return segment.ends_with(kChoice) ? segment.substr(0, segment.size() - kChoice.size()) : segment;
}

std::string_view withoutVersion(std::string_view canonical) {
  return canonical.substr(0, canonical.find('|'));
}

/// A view of what `append` added to the end of `all`, which has room for it.
template <typename Row, typename Append>
std::span<const Row> added(std::vector<Row>& all, const Append& append) {
  const std::size_t first = all.size();
  append();
  return {all.data() + first, all.size() - first};
}

bool hasKey(const fhir::Schema& schema, fhir::DefId def, std::string_view key) {
  const auto rows = schema.constraints(schema.def(def));
  return std::any_of(rows.begin(), rows.end(),
                     [&](const fhir::Constraint& row) { return schema.text(row.key) == key; });
}

/// Whether the type asks for less than the row does of its types.
bool narrows(const fhir::Schema& schema, const fhir::TypeRef& ref, const AllowedType& type) {
  if (ref.type != type.type || type.aggregation != 0 || type.targets.size() != ref.targetCount) return true;
  const std::string_view profile = ref.profile == kNone ? std::string_view() : schema.text(ref.profile);
  if (type.profiles.size() != (profile.empty() ? 0U : 1U) || (!profile.empty() && type.profiles[0] != profile))
    return true;
  const auto targets = schema.targets(ref);
  return !std::equal(targets.begin(), targets.end(), type.targets.begin(),
                     [&](fhir::StringId id, std::string_view target) { return schema.text(id) == target; });
}

}  // namespace

TextPool& ProfileWriter::texts() {
  return profile_->storage_->texts;
}

std::unique_ptr<const Profile> ProfileWriter::write(const ProfileHead& head, const Node& root) {
  writeHead(head);
  Profile::Storage& storage = *profile_->storage_;
  const Totals totals = count(root);
  storage.rows.reserve(totals.rows);
  storage.constraints.reserve(totals.constraints);
  storage.types.reserve(totals.types);
  storage.canonicals.reserve(totals.canonicals);
  storage.slicings.reserve(totals.slicings);
  storage.discriminators.reserve(totals.discriminators);
  storage.sources.reserve(totals.sources);
  addRow(root, kNoRow);
  profile_->rows_ = storage.rows;
  profile_->constraints_ = storage.constraints;
  linkSlices();
  for (RowId at = static_cast<RowId>(storage.rows.size()); at-- > 0;) {
    ProfileElement& row = storage.rows[at];
    if (!row.contentReference.empty())
      row.content = profile_->find(row.contentReference.substr(row.contentReference.find('#') + 1));
    if (row.parent != kNoRow && (row.tightened || row.tightenedBelow)) storage.rows[row.parent].tightenedBelow = true;
  }
  return std::move(profile_);
}

void ProfileWriter::writeHead(const ProfileHead& head) {
  Profile& profile = *profile_;
  const fhir::Document& document = *head.document;
  const fhir::Element* root = document.root();
  profile.document_ = &document;
  profile.type_ = head.type;
  profile.url_ = valueAt(document, root, "url");
  profile.version_ = valueAt(document, root, "version");
  profile.name_ = valueAt(document, root, "name");
  profile.baseUrl_ = valueAt(document, root, "baseDefinition");
  profile.abstract_ = valueAt(document, root, "abstract") == "true";
  Profile::Storage& storage = *profile.storage_;
  for (const fhir::Element* one = root->first; one != nullptr; one = one->next) {
    const std::string_view name = document.nameText(one->name);
    if (name == "contextInvariant") storage.contextInvariants.push_back(one->value());
    if (name != "context") continue;
    const std::string_view type = valueAt(document, one, "type");
    const auto kind = type == "fhirpath"    ? ExtensionContext::Kind::Fhirpath
                      : type == "extension" ? ExtensionContext::Kind::Extension
                                            : ExtensionContext::Kind::Element;
    storage.contexts.push_back({kind, valueAt(document, one, "expression")});
  }
  profile.contexts_ = storage.contexts;
  profile.contextInvariants_ = storage.contextInvariants;
}

ProfileWriter::Totals& ProfileWriter::Totals::operator+=(const Totals& more) {
  rows += more.rows;
  constraints += more.constraints;
  types += more.types;
  canonicals += more.canonicals;
  slicings += more.slicings;
  discriminators += more.discriminators;
  sources += more.sources;
  return *this;
}

/// So that nothing moves while views of it are taken.
ProfileWriter::Totals ProfileWriter::count(const Node& node) {
  Totals totals;
  totals.rows = 1;
  totals.constraints = node.facts.constraints.size();
  totals.types = node.facts.types.size();
  for (const TypeFacts& type : node.facts.types) totals.canonicals += type.profiles.size() + type.targets.size();
  totals.canonicals += node.facts.valueAlternatives.size();
  totals.slicings = node.facts.sliced ? 1 : 0;
  totals.discriminators = node.facts.discriminators.size();
  totals.sources = node.sources.size();
  for (const auto& one : node.children) totals += count(*one);
  return totals;
}

void ProfileWriter::addRow(const Node& node, RowId parent) {
  Profile::Storage& storage = *profile_->storage_;
  const auto at = static_cast<RowId>(storage.rows.size());
  ProfileElement& row = storage.rows.emplace_back();
  row.parent = parent;
  row.sliceName = node.sliceName;
  std::string id(node.segment);
  if (parent != kNoRow) id = std::string(storage.rows[parent].id) + "." + id;
  if (!node.sliceName.empty()) id += ":" + std::string(node.sliceName);
  std::string path(node.segment);
  if (parent != kNoRow) path = std::string(storage.rows[parent].path) + "." + path;
  const bool same = id == path;
  row.path = storage.texts.emplace_back(std::move(path));
  row.id = same ? row.path : storage.texts.emplace_back(std::move(id));
  define(row, node, parent);
  addFacts(node, row);
  markTightened(row);
  for (const auto& one : node.children) addRow(*one, at);
  row.end = static_cast<RowId>(storage.rows.size());  // the rows were reserved: `row` has not moved
}

/// What the Schema says of the element: it is looked up below the parent's definition or type.
void ProfileWriter::define(ProfileElement& row, const Node& node, RowId parent) {
  if (parent == kNoRow) {
    row.def = schema_.type(profile_->type_).root;
    return;
  }
  const ProfileElement& above = profile_->storage_->rows[parent];
  fhir::TypeId type = above.types.size() == 1 ? above.types[0].type : fhir::r4::kElement;
  if (above.parent == kNoRow) type = profile_->type_;
  row.name = schema_.findName(withoutChoice(node.segment));
  const fhir::ShapeId shape = schema_.shapeOf(above.parent == kNoRow ? kNone : above.def, type);
  const fhir::Property* property = shape == kNone ? nullptr : schema_.property(shape, row.name);
  if (property == nullptr) return;
  row.def = property->def;
  const fhir::ElementDef& def = schema_.def(row.def);
  if (def.choice) row.name = def.name;  // older snapshots write "valueQuantity" for a choice narrowed to one type
}

void ProfileWriter::addFacts(const Node& node, ProfileElement& row) {
  const Facts& facts = node.facts;
  Profile::Storage& storage = *profile_->storage_;
  row.min = facts.min;
  row.max = facts.max;
  row.maxLength = facts.maxLength;
  row.fixed = facts.fixed;
  row.pattern = facts.pattern;
  row.minValue = facts.minValue;
  row.maxValue = facts.maxValue;
  row.valueSet = facts.valueSet;
  row.strength = facts.strength;
  row.contentReference = facts.contentReference;
  row.mustSupport = facts.mustSupport;
  row.modifier = facts.modifier;
  row.summary = facts.summary;
  row.mustHaveValue = facts.mustHaveValue;
  row.valueAlternatives = added(storage.canonicals, [&] {
    storage.canonicals.insert(storage.canonicals.end(), facts.valueAlternatives.begin(), facts.valueAlternatives.end());
  });
  row.sources = added(storage.sources,
                      [&] { storage.sources.insert(storage.sources.end(), node.sources.begin(), node.sources.end()); });
  addTypes(facts, row);
  row.constraints = added(storage.constraints, [&] {
    for (ProfileConstraint constraint : facts.constraints) {
      constraint.base = (row.def != kNone && hasKey(schema_, row.def, constraint.key)) ||
                        std::any_of(row.types.begin(), row.types.end(), [&](const AllowedType& type) {
                          return type.type != kNone && hasKey(schema_, schema_.type(type.type).root, constraint.key);
                        });
      storage.constraints.push_back(constraint);
    }
  });
  if (!facts.sliced) return;
  Slicing slicing;
  slicing.ordered = facts.ordered;
  slicing.rules = facts.rules;
  slicing.discriminators = added(storage.discriminators, [&] {
    storage.discriminators.insert(storage.discriminators.end(), facts.discriminators.begin(),
                                  facts.discriminators.end());
  });
  row.slicing = &storage.slicings.emplace_back(slicing);
}

void ProfileWriter::addTypes(const Facts& facts, ProfileElement& row) {
  Profile::Storage& storage = *profile_->storage_;
  const auto copy = [&](const std::vector<std::string_view>& from) {
    return added(storage.canonicals,
                 [&] { storage.canonicals.insert(storage.canonicals.end(), from.begin(), from.end()); });
  };
  row.types = added(storage.types, [&] {
    for (const TypeFacts& type : facts.types) {
      AllowedType one{type.code, type.type, copy(type.profiles), copy(type.targets), type.aggregation};
      if (type.code.starts_with(kSystemTypes) && row.def != kNone) {
        const auto refs = schema_.types(schema_.def(row.def));
        if (refs.size() == 1) one.type = refs[0].type;
      }
      storage.types.push_back(one);
    }
  });
}

void ProfileWriter::markTightened(ProfileElement& row) {
  row.tightened = true;
  if (row.def == kNone) {  // the value of a primitive
    row.tightened = row.min > 0 || row.max == 0 || row.maxLength != 0 || row.fixed != nullptr ||
                    row.pattern != nullptr || row.minValue != nullptr || row.maxValue != nullptr ||
                    !row.valueSet.empty();
    return;
  }
  const fhir::ElementDef& def = schema_.def(row.def);
  if (!row.sliceName.empty()) return;
  const bool root = row.parent == kNoRow;
  if (!root && (row.min != def.min || row.max != def.max)) return;
  if (row.fixed != nullptr || row.pattern != nullptr || row.minValue != nullptr || row.maxValue != nullptr ||
      row.maxLength != 0 || row.mustHaveValue || !row.valueAlternatives.empty())
    return;
  if (row.strength != def.strength || withoutVersion(row.valueSet) != withoutVersion(schema_.text(def.valueSet)))
    return;
  if (std::any_of(row.constraints.begin(), row.constraints.end(),
                  [](const ProfileConstraint& constraint) { return !constraint.base; }))
    return;
  const auto refs = schema_.types(def);
  if (!root && row.contentReference.empty()) {
    if (row.types.size() != refs.size()) return;
    for (std::size_t i = 0; i < refs.size(); ++i) {
      if (narrows(schema_, refs[i], row.types[i])) return;
    }
  }
  row.tightened = false;
}

void ProfileWriter::linkSlices() {
  std::vector<ProfileElement>& rows = profile_->storage_->rows;
  std::vector<RowId> last(rows.size(), kNoRow);
  for (RowId at = 1; at < rows.size(); ++at) {
    ProfileElement& slice = rows[at];
    if (slice.sliceName.empty()) continue;
    const RowId of = slicedBy(slice, at);
    if (of == kNoRow) continue;
    slice.unsliced = of;
    (last[of] == kNoRow ? rows[of].firstSlice : rows[last[of]].nextSlice) = at;
    last[of] = at;
    rows[of].tightened = true;
  }
}

/// The row that a slice slices: for "a/b" the slice "a", else the element without a slice name.
RowId ProfileWriter::slicedBy(const ProfileElement& slice, RowId at) const {
  const std::vector<ProfileElement>& rows = profile_->storage_->rows;
  std::string_view above = slice.sliceName;
  RowId plain = kNoRow;
  do {
    const auto slash = above.rfind('/');
    above = slash == std::string_view::npos ? std::string_view() : above.substr(0, slash);
    for (RowId one = slice.parent + 1; one < at; one = rows[one].end) {
      if (rows[one].name == slice.name && rows[one].sliceName == above) plain = one;
    }
  } while (plain == kNoRow && !above.empty());
  return plain;
}

}  // namespace lotsen::definitions
