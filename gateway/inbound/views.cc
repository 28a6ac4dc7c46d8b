#include "gateway/inbound/views.h"

#include "gateway/json/writer.h"

namespace lotsen::inbound {

namespace {

void time(json::Writer& writer, std::string_view key, Instant at) {
  if (toMillis(at) != 0) writer.member(key, formatInstant(at));
}

void text(json::Writer& writer, std::string_view key, std::string_view value) {
  if (!value.empty()) writer.member(key, value);
}

void transferMembers(json::Writer& writer, const store::Transfer& transfer) {
  writer.member("id", transfer.id)
      .member("partner", transfer.partner)
      .member("case", transfer.caseKey)
      .member("state", store::name(transfer.state));
  text(writer, "agreement", transfer.agreement);
  writer.key("reasons").raw(transfer.reasons.empty() ? "[]" : transfer.reasons);
  time(writer, "createdAt", transfer.createdAt);
  time(writer, "changedAt", transfer.changedAt);
}

void record(json::Writer& writer, const store::Record& record) {
  writer.startObject()
      .member("id", record.id)
      .member("kind", store::name(record.kind))
      .member("channel", record.channel);
  writer.member("partner", record.partner).member("businessId", record.businessId).member("version", record.version);
  writer.member("state", store::name(record.state));
  text(writer, "reason", record.reason);
  writer.member("digest", record.digest);
  text(writer, "mapHash", record.mapHash);
  text(writer, "configRevision", record.configRevision);
  if (!record.issues.empty()) writer.key("issues").raw(record.issues);
  time(writer, "receivedAt", record.receivedAt);
  writer.endObject();
}

void delivery(json::Writer& writer, const store::TransferView& view, const store::Delivery& delivery) {
  writer.startObject()
      .member("id", delivery.id)
      .member("role", store::name(delivery.role))
      .member("partner", delivery.partner);
  writer.member("endpoint", delivery.endpoint).member("state", store::name(delivery.state));
  text(writer, "reason", delivery.reason);
  if (delivery.overdue) writer.member("acknowledgementOverdue", true);
  writer.member("messageId", delivery.messageId).member("bundleId", delivery.bundleId);
  text(writer, "mediaType", delivery.mediaType);
  text(writer, "mapHash", delivery.mapHash);
  writer.key("after").startArray();
  for (const auto& id : delivery.after) writer.string(id);
  writer.endArray();
  time(writer, "createdAt", delivery.createdAt);
  if (delivery.state == store::DeliveryState::Ready) time(writer, "dueAt", delivery.dueAt);
  time(writer, "deadlineAt", delivery.deadlineAt);
  time(writer, "finishedAt", delivery.finishedAt);
  writer.member("attemptCount", static_cast<std::int64_t>(delivery.attempts));
  writer.key("attempts").startArray();
  for (const auto& attempt : view.attempts) {
    if (attempt.delivery != delivery.id) continue;
    writer.startObject().member("number", static_cast<std::int64_t>(attempt.number)).member("node", attempt.node);
    time(writer, "claimedAt", attempt.claimedAt);
    if (attempt.sentAt) time(writer, "sentAt", *attempt.sentAt);
    if (attempt.endedAt) time(writer, "endedAt", *attempt.endedAt);
    text(writer, "outcome", attempt.outcome);
    text(writer, "phase", attempt.phase);
    if (attempt.httpStatus != 0) writer.member("httpStatus", static_cast<std::int64_t>(attempt.httpStatus));
    text(writer, "responseDigest", attempt.responseDigest);
    writer.endObject();
  }
  writer.endArray();
  for (const auto& release : view.releases) {
    if (release.delivery != delivery.id) continue;
    writer.key("release").startObject().member("basis", release.basis);
    text(writer, "consentRecord", release.consentRecord);
    text(writer, "btfRecord", release.btfRecord);
    time(writer, "validFrom", release.validFrom);
    time(writer, "validUntil", release.validUntil);
    writer.endObject();
  }
  writer.endObject();
}

}  // namespace

std::string transferJson(const store::TransferView& view) {
  std::string out;
  json::Writer writer(out);
  writer.startObject();
  transferMembers(writer, view.transfer);
  writer.key("records").startArray();
  for (const auto& each : view.records) record(writer, each);
  writer.endArray().key("deliveries").startArray();
  for (const auto& each : view.deliveries) delivery(writer, view, each);
  writer.endArray().key("timeline").startArray();
  for (const auto& entry : view.timeline) {
    writer.startObject()
        .member("at", formatInstant(entry.at))
        .member("actor", entry.actor)
        .member("action", entry.action);
    text(writer, "subject", entry.subject);
    if (!entry.detail.empty()) writer.key("detail").raw(entry.detail);
    writer.endObject();
  }
  writer.endArray().endObject();
  return out;
}

std::string transfersJson(const std::vector<store::Transfer>& transfers, std::size_t limit) {
  std::string out;
  json::Writer writer(out);
  writer.startObject().key("transfers").startArray();
  for (const auto& transfer : transfers) {
    writer.startObject();
    transferMembers(writer, transfer);
    writer.endObject();
  }
  writer.endArray();
  if (!transfers.empty() && transfers.size() == limit)
    writer.member("next", "/api/v1/transfers?after=" + transfers.back().id);
  writer.endObject();
  return out;
}

}  // namespace lotsen::inbound
