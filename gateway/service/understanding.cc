#include "gateway/service/understanding.h"

#include "gateway/fhir/outcome.h"
#include "gateway/service/reasons.h"
#include "gateway/transfer/facts.h"

namespace lotsen::service {

namespace {

// "The resource returned does not have all of its content" (R4, v3-ObservationValue).
constexpr std::string_view kObservationValue = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
constexpr std::string_view kSubsetted = "SUBSETTED";

Understood parked(const store::Record& record, std::string_view reason, const fhir::Issues& issues) {
  Understood result;
  result.change = {record.id, store::RecordState::Parked, std::string(reason), fhir::operationOutcome(issues), {}, {}};
  return result;
}

Understood readCanonical(const Configuration& configuration, const store::Record& record, const std::string& text) {
  fhir::Issues issues;
  fhir::ReadOptions options;
  options.type = configuration.schema()->findType("Bundle");
  auto document = fhir::readJson(text, configuration.schema(), options, issues);
  if (!document.ok()) return parked(record, reason::kCanonicalInvalid, issues);
  Understood result;
  result.change = {record.id, store::RecordState::Processed, {}, record.issues, text, record.mapHash};
  result.canonical = std::move(*document);
  return result;
}

/// Carrying the original along would undo what the map leaves behind on purpose, a protected person's address before
/// all.
std::string_view whyNotCarried(const mapping::LossAccount& account, const fhir::Document& canonical) {
  if (!account.dropped.empty()) return "; the original cannot go along, because the .drop file holds parts of it back";
  fhir::Issues ignored;
  const auto facts = transfer::referralFacts(canonical, ignored);
  if (!facts.ok() || facts->protectedIdentity)
    return "; the original cannot go along, because the patient's identity is protected";
  return {};
}

void markSubset(fhir::Document& canonical) {
  const auto add = [&](fhir::Element* parent, std::string_view name) {
    const auto& schema = canonical.schema();
    const auto* property = schema.property(schema.shapeOf(parent->def, parent->type), schema.findName(name));
    LOTSEN_CHECK(property != nullptr);
    return canonical.append(parent, *property);
  };
  auto* meta = fhir::child(canonical.root(), canonical.schema().findName("meta"));
  if (meta == nullptr) meta = add(canonical.root(), "meta");
  auto* tag = add(meta, "tag");
  canonical.setValue(add(tag, "system"), kObservationValue);
  canonical.setValue(add(tag, "code"), kSubsetted);
}

/// The loss account, and what the channel says about it.
void accountFor(const Channel& channel, const fhir::Document& source, fhir::Document& canonical, fhir::Issues& issues) {
  const auto losses = mapping::unaccounted(source, channel.drops);
  if (losses.empty()) return;
  bool refuse = channel.unaccounted == Channel::Unaccounted::Refuse;
  std::string text =
      "no mapping rule makes anything of this field, so the receiver would not get it; map it or name it in "
      "the .drop file";
  if (channel.unaccounted == Channel::Unaccounted::Carry) {
    const auto why = whyNotCarried(mapping::lossAccount(source, channel.drops), canonical);
    refuse = !why.empty();
    text = refuse ? text + std::string(why)
                  : "no mapping rule makes anything of this field; the original goes along to the provider";
    if (!refuse) markSubset(canonical);
  }
  for (const auto& loss : losses) {
    if (refuse) {
      issues.error("incomplete", "source-unaccounted", text, loss.path, loss.at);
    } else {
      issues.warning("incomplete", "source-unaccounted", text, loss.path, loss.at);
    }
  }
}

}  // namespace

bool needsOriginal(const fhir::Document& canonical) {
  const auto& schema = canonical.schema();
  const auto* meta = fhir::child(canonical.root(), schema.findName("meta"));
  const auto* tag = meta == nullptr ? nullptr : fhir::child(meta, schema.findName("tag"));
  for (const auto name = tag == nullptr ? fhir::kNone : tag->name; tag != nullptr && tag->name == name;
       tag = tag->next) {
    if (fhir::valueAt(canonical, tag, "system") == kObservationValue &&
        fhir::valueAt(canonical, tag, "code") == kSubsetted)
      return true;
  }
  return false;
}

Understood understand(const Configuration& configuration, const store::Record& record) {
  if (record.state == store::RecordState::Processed) return readCanonical(configuration, record, record.canonical);
  if (record.kind == store::RecordKind::Message) return readCanonical(configuration, record, record.body);

  fhir::Issues issues;
  const auto found = configuration.channels.find(record.channel);
  if (found == configuration.channels.end()) {
    issues.error("not-supported", "channel-gone",
                 "no channel " + record.channel + " is configured any more; configure it and reprocess the record");
    return parked(record, reason::kMappingFailed, issues);
  }
  const Channel& channel = found->second;
  fhir::ReadOptions options;
  options.type = channel.model;
  const auto source = fhir::readJson(record.body, configuration.schema(), options, issues);
  if (!source.ok()) return parked(record, reason::kMappingFailed, issues);

  const mapping::RunOptions run{record.receivedAt, record.digest};
  auto canonical = mapping::transform(*channel.map, *source, run, issues);
  if (!canonical.ok() || issues.hasErrors()) return parked(record, reason::kMappingFailed, issues);
  Judgement judgement = judge(configuration, *canonical, Direction::In, configuration.partner(record.partner),
                              channel.id, channel.profiles, issues);
  if (!issues.hasErrors()) accountFor(channel, *source, *canonical, issues);
  if (issues.hasErrors()) {
    const bool invalid = judgement.judged == Judged::Refused;
    Understood result = parked(record, invalid ? reason::kCanonicalInvalid : reason::kSourceUnaccounted, issues);
    result.judgement = std::move(judgement);
    return result;
  }

  Understood result;
  result.judgement = std::move(judgement);
  result.change = {record.id,
                   store::RecordState::Processed,
                   {},
                   issues.empty() ? std::string() : fhir::operationOutcome(issues),
                   fhir::writeJson(*canonical),
                   channel.map->hash()};
  result.canonical = std::move(*canonical);
  return result;
}

}  // namespace lotsen::service
