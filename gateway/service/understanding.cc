#include "gateway/service/understanding.h"

#include "gateway/fhir/outcome.h"
#include "gateway/service/reasons.h"

namespace lotsen::service {

namespace {

Understood parked(const store::Record& record, std::string_view reason, const fhir::Issues& issues) {
  Understood result;
  result.change = {record.id, store::RecordState::Parked, std::string(reason), fhir::operationOutcome(issues), {}, {}};
  return result;
}

Understood readCanonical(const Configuration& configuration, const store::Record& record, const std::string& text) {
  fhir::Issues issues;
  fhir::ReadOptions options;
  options.type = configuration.schema->findType("Bundle");
  auto document = fhir::readJson(text, configuration.schema, options, issues);
  if (!document.ok()) return parked(record, reason::kCanonicalInvalid, issues);
  Understood result;
  result.change = {record.id, store::RecordState::Processed, {}, record.issues, text, record.mapHash};
  result.canonical = std::move(*document);
  return result;
}

}  // namespace

Understood understand(const Configuration& configuration, const store::Record& record, Instant now) {
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
  const auto source = fhir::readJson(record.body, configuration.schema, options, issues);
  if (!source.ok()) return parked(record, reason::kMappingFailed, issues);

  const mapping::RunOptions run{now, record.digest};
  auto canonical = mapping::transform(*channel.map, *source, run, issues);
  if (!canonical.ok() || issues.hasErrors()) return parked(record, reason::kMappingFailed, issues);
  configuration.validator->validate(*canonical, issues);
  if (issues.hasErrors()) return parked(record, reason::kCanonicalInvalid, issues);

  for (const auto& loss : mapping::unaccounted(*source, channel.drops)) {
    const std::string text =
        "no mapping rule makes anything of this field, so the receiver would not get it; map it or name it in the "
        ".drop file";
    if (channel.unaccounted == Channel::Unaccounted::Refuse) {
      issues.error("incomplete", "source-unaccounted", text, loss.path, loss.at);
    } else {
      issues.warning("incomplete", "source-unaccounted", text, loss.path, loss.at);
    }
  }
  if (issues.hasErrors()) return parked(record, reason::kSourceUnaccounted, issues);

  Understood result;
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
