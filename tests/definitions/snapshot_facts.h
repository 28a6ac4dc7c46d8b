// The facts of a snapshot as lines of text, so that two can be compared and the first difference shown.
#pragma once

#include "gateway/definitions/profile_loader.h"
#include "gateway/definitions/profile_writer.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/outcome.h"
#include "gateway/fhir/xml_form.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lotsen::definitions {

using DocumentPointer = std::shared_ptr<const fhir::Document>;

inline DocumentPointer readDefinition(const std::string& bytes, fhir::Issues& issues) {
  const auto start = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const bool xml = start != std::string::npos && bytes[start] == '<';
  auto document = xml ? fhir::readXml(bytes, fhir::Schema::r4(), {}, issues)
                      : fhir::readJson(bytes, fhir::Schema::r4(), {}, issues);
  return document ? std::make_shared<const fhir::Document>(std::move(*document)) : nullptr;
}

/// Changes a word of a line before it is compared; an empty one goes.
using Normalise = std::function<std::string(std::string)>;

/// Elements that another release defines in another way: only their place is compared.
using OtherInRelease = std::function<bool(std::string_view path)>;

/// A value as text in which the order of members does not count.
inline std::string valueText(const fhir::Document& document, const fhir::Element* value) {
  if (value->first == nullptr) return fhir::writeJson(document, value);
  std::vector<std::string> parts;
  if (value->hasValue()) parts.push_back(std::string(value->value()));
  for (const fhir::Element* one = value->first; one != nullptr; one = one->next)
    parts.push_back(std::string(document.nameText(one->name)) + ":" + valueText(document, one));
  std::stable_sort(parts.begin(), parts.end());
  std::string text = "{";
  for (const std::string& part : parts) text += part + " ";
  return text + "}";
}

inline std::string joined(std::vector<std::string> words) {
  std::string text;
  for (const std::string& word : words) {
    if (!word.empty()) text += (text.empty() ? "" : ",") + word;
  }
  return text;
}

inline std::string typeLine(const ProfileElement& row, const Normalise& normalise) {
  std::vector<std::string> types;
  for (const AllowedType& type : row.types) {
    std::vector<std::string> profiles, targets;
    for (const auto one : type.profiles) profiles.push_back(normalise(std::string(one)));
    for (const auto one : type.targets) targets.push_back(normalise(std::string(one)));
    std::string text = normalise(std::string(type.code));
    if (!profiles.empty()) text += "{" + joined(profiles) + "}";
    if (!targets.empty()) text += "(" + joined(targets) + ")";
    types.push_back(text);
  }
  return joined(types);
}

inline std::string slicingLine(const ProfileElement& row) {
  if (row.slicing == nullptr) return {};
  std::string text = " slicing";
  for (const Discriminator& one : row.slicing->discriminators)
    text += " " + std::to_string(static_cast<int>(one.type)) + "@" + std::string(one.path);
  text += row.slicing->rules == SlicingRules::Open     ? " open"
          : row.slicing->rules == SlicingRules::Closed ? " closed"
                                                       : " openAtEnd";
  return text + (row.slicing->ordered ? " ordered" : "");
}

inline std::string factLine(const Profile& profile, const ProfileElement& row, const Normalise& normalise,
                            const OtherInRelease& otherInRelease) {
  const fhir::Document& document = profile.document();
  std::string text(row.id);
  if (row.def != fhir::kNone && otherInRelease(fhir::Schema::r4()->text(fhir::Schema::r4()->def(row.def).path)))
    return text;
  text += " " + std::to_string(row.min) + ".." + (row.max == fhir::kUnbounded ? "*" : std::to_string(row.max));
  text += " " + typeLine(row, normalise) + slicingLine(row);
  if (row.fixed != nullptr) text += " fixed " + valueText(document, row.fixed);
  if (row.pattern != nullptr) text += " pattern " + valueText(document, row.pattern);
  if (row.strength != fhir::Strength::None)
    text += " bound " + std::to_string(static_cast<int>(row.strength)) + " " + normalise(std::string(row.valueSet));
  if (!row.contentReference.empty())
    text += " as " + std::string(row.contentReference.substr(row.contentReference.find('#')));
  std::vector<std::string> keys;
  for (const ProfileConstraint& one : row.constraints) keys.push_back(normalise(std::string(one.key)));
  std::sort(keys.begin(), keys.end());
  text += " [" + joined(keys) + "]";
  if (row.mustSupport) text += " must-support";
  if (row.modifier) text += " modifier";
  return text;
}

inline std::vector<std::string> factLines(const Profile& profile, const Normalise& normalise,
                                          const OtherInRelease& otherInRelease) {
  std::vector<std::string> lines;
  for (const ProfileElement& row : profile.rows()) lines.push_back(factLine(profile, row, normalise, otherInRelease));
  return lines;
}

/// Both sides of the first lines that differ, and how many do; empty if none.
inline std::string difference(const std::vector<std::string>& ours, const std::vector<std::string>& theirs) {
  std::string text;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < std::max(ours.size(), theirs.size()); ++i) {
    const std::string mine = i < ours.size() ? ours[i] : "(nothing)";
    const std::string other = i < theirs.size() ? theirs[i] : "(nothing)";
    if (mine == other) continue;
    if (++wrong <= 6) text += "    ours   " + mine + "\n    theirs " + other + "\n";
  }
  return wrong == 0 ? text
                    : "  " + std::to_string(wrong) + " of " + std::to_string(theirs.size()) + " rows differ\n" + text;
}

/// The rows of the snapshot that a definition brings, or those made from its differential.
inline std::unique_ptr<const Profile> rowsOf(const fhir::Document& document, bool brought, const Lookup& lookup,
                                             fhir::Issues& issues) {
  ProfileWriter writer(*fhir::Schema::r4());
  const Origin origin{"", &document};
  const SnapshotContext context{
      origin, fhir::valueAt(document, document.root(), "url"), *fhir::Schema::r4(), lookup, writer.texts(), issues};
  const Snapshot snapshot = brought ? readSnapshot(context) : makeSnapshot(context);
  return snapshot.root == nullptr ? nullptr : writer.write({&document, snapshot.type}, *snapshot.root);
}

}  // namespace lotsen::definitions
