#include "gateway/inbound/reprocess.h"

#include "gateway/base/random.h"
#include "gateway/inbound/body.h"
#include "gateway/json/writer.h"

#include <charconv>

namespace lotsen::inbound {

namespace {

using fhir::Element;

constexpr std::pair<std::string_view, std::uint64_t service::WhatIfReport::*> kCounts[] = {
    {"examined", &service::WhatIfReport::examined},     {"same", &service::WhatIfReport::same},
    {"different", &service::WhatIfReport::different},   {"nowFail", &service::WhatIfReport::nowFail},
    {"nowSucceed", &service::WhatIfReport::nowSucceed}, {"stillFail", &service::WhatIfReport::stillFail},
    {"waiting", &service::WhatIfReport::waiting}};

constexpr std::size_t kMaxMaps = 50;

store::RecordFilter readFilter(const Body& body, const Element* root) {
  store::RecordFilter filter;
  if (const Element* given = fhir::child(body.document(), root, "filter")) {
    if (given->hasValue() || given->listed) body.fault(given, "member-form", "this must be an object");
    body.allow(given, {"channel", "state", "mapHash", "from", "to"});
    filter.channel = body.word(given, "channel");
    filter.mapHash = body.word(given, "mapHash");
    filter.from = body.instant(given, "from");
    filter.until = body.instant(given, "to");
    if (const Element* state = body.member(given, "state", fhir::Token::String)) {
      for (const auto known : {store::RecordState::Processed, store::RecordState::Parked}) {
        if (store::name(known) == state->value()) filter.state = known;
      }
      if (!filter.state) body.fault(state, "record-state", "this must be processed or parked");
    }
  }
  filter.after = body.word(root, "after");
  if (!filter.after.empty() && !isUuid(filter.after))
    body.fault(fhir::child(body.document(), root, "after"), "cursor", "this must be the `next` of the answer before");
  filter.limit = body.number(root, "limit", service::WhatIf::kLimit, 1, service::WhatIf::kLimit);
  return filter;
}

std::vector<mapping::MapText> readMaps(const Body& body, const Element* root) {
  std::vector<mapping::MapText> maps;
  const Element* first = fhir::child(body.document(), root, "maps");
  for (const Element* each = first; each != nullptr && each->name == first->name; each = each->next) {
    body.allow(each, {"file", "text"});
    maps.push_back({body.word(each, "file"), body.word(each, "text", std::string::npos)});
    if (maps.back().file.empty() || maps.back().text.empty())
      body.fault(each, "map-member", "a map is an object with `file`, its name in messages, and `text`");
  }
  if (maps.empty()) body.fault(root, "maps", "`maps` must hold the maps, the in-map of a channel first");
  if (maps.size() > kMaxMaps) body.fault(first, "maps", "there are more than " + std::to_string(kMaxMaps) + " maps");
  return maps;
}

void writeGroups(json::Writer& writer, const service::WhatIfReport& report) {
  writer.key("groups").startArray();
  for (const auto& [key, group] : report.groups) {
    writer.startObject().member("kind", service::name(key.finding));
    if (!key.path.empty()) writer.member("path", key.path);
    if (!key.rule.empty()) writer.member("rule", key.rule);
    if (!group.text.empty()) writer.member("text", group.text);
    writer.member("records", static_cast<std::int64_t>(group.records));
    writer.member("count", static_cast<std::int64_t>(group.count)).key("examples").startArray();
    for (const auto& id : group.examples) writer.string(id);
    writer.endArray().endObject();
  }
  writer.endArray();
}

}  // namespace

std::optional<Reprocess> readReprocess(std::string_view text, fhir::Issues& issues) {
  const auto document = readBody(text, issues);
  if (!document) return std::nullopt;
  const Element* root = document->root();
  const Body body(*document, issues);
  body.allow(root, {"dryRun", "maps", "drops", "filter", "after", "limit", "why"});
  Reprocess reprocess;
  reprocess.dryRun = body.flag(root, "dryRun");
  reprocess.request.filter = readFilter(body, root);
  reprocess.request.maps = readMaps(body, root);
  if (const Element* drops = fhir::child(*document, root, "drops")) {
    if (drops->hasValue() || drops->listed) body.fault(drops, "member-form", "this must be an object");
    body.allow(drops, {"file", "text"});
    reprocess.request.drops = mapping::MapText{body.word(drops, "file"), body.word(drops, "text", std::string::npos)};
  }
  reprocess.request.why = body.word(root, "why");
  if (issues.hasErrors()) return std::nullopt;
  return reprocess;
}

std::string reprocessBody(const Reprocess& reprocess) {
  const auto& request = reprocess.request;
  const auto& filter = request.filter;
  std::string text;
  json::Writer writer(text);
  writer.startObject().member("dryRun", reprocess.dryRun).key("maps").startArray();
  for (const auto& map : request.maps)
    writer.startObject().member("file", map.file).member("text", map.text).endObject();
  writer.endArray();
  if (request.drops)
    writer.key("drops")
        .startObject()
        .member("file", request.drops->file)
        .member("text", request.drops->text)
        .endObject();
  writer.key("filter").startObject();
  if (!filter.channel.empty()) writer.member("channel", filter.channel);
  if (filter.state) writer.member("state", store::name(*filter.state));
  if (!filter.mapHash.empty()) writer.member("mapHash", filter.mapHash);
  if (filter.from) writer.member("from", formatInstant(*filter.from));
  if (filter.until) writer.member("to", formatInstant(*filter.until));
  writer.endObject();
  if (!filter.after.empty()) writer.member("after", filter.after);
  writer.member("limit", static_cast<std::int64_t>(filter.limit));
  if (!request.why.empty()) writer.member("why", request.why);
  writer.endObject();
  return text;
}

Result<service::WhatIfAnswer> readReprocessJson(std::string_view text) {
  fhir::Issues issues;
  LOTSEN_TRY(const auto document, fhir::readJson(text, fhir::Schema::r4(), {}, issues));
  const Element* root = document.root();
  if (root->type != fhir::kNone || fhir::child(document, root, "records") == nullptr)
    return fail(Code::Invalid, "this is no report of a dry run");
  const auto number = [&](const Element* from, std::string_view path) {
    std::uint64_t value = 0;
    const auto digits = fhir::valueAt(document, from, path);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  };
  const auto word = [&](const Element* from, std::string_view path) {
    return std::string(fhir::valueAt(document, from, path));
  };
  const auto each = [&](const Element* from, std::string_view name, const auto& visit) {
    for (const Element* item = fhir::child(document, from, name);
         item != nullptr && document.nameText(item->name) == name; item = item->next)
      visit(item);
  };
  service::WhatIfAnswer answer;
  LOTSEN_TRY(answer.startedAt, parseInstant(word(root, "startedAt")));
  answer.mapHash = word(root, "mapHash");
  answer.next = word(root, "next");
  each(root, "channels", [&](const Element* item) { answer.channels.emplace_back(item->value()); });
  each(root, "mapWarnings", [&](const Element* item) { answer.mapWarnings.emplace_back(item->value()); });
  auto& report = answer.report;
  for (const auto& [name, count] : kCounts) report.*count = number(root, "records." + std::string(name));
  report.leftOut = number(root, "groupsLeftOut");
  each(root, "madeBy", [&](const Element* item) { report.mapHashes[word(item, "mapHash")] = number(item, "records"); });
  each(root, "groups", [&](const Element* item) {
    const auto finding = service::findingOf(word(item, "kind"));
    if (!finding) return;
    auto& group = report.groups[{*finding, word(item, "path"), word(item, "rule")}];
    group = {number(item, "records"), number(item, "count"), word(item, "text"), {}};
    each(item, "examples", [&](const Element* id) { group.examples.emplace_back(id->value()); });
  });
  return answer;
}

std::string reprocessJson(const service::WhatIfAnswer& answer) {
  const auto& report = answer.report;
  std::string text;
  json::Writer writer(text);
  writer.startObject().member("dryRun", true).member("startedAt", formatInstant(answer.startedAt));
  writer.member("mapHash", answer.mapHash);
  writer.key("channels").startArray();
  for (const auto& channel : answer.channels) writer.string(channel);
  writer.endArray().key("mapWarnings").startArray();
  for (const auto& warning : answer.mapWarnings) writer.string(warning);
  writer.endArray().key("records").startObject();
  for (const auto& [name, count] : kCounts) writer.member(name, static_cast<std::int64_t>(report.*count));
  writer.endObject().key("madeBy").startArray();
  for (const auto& [hash, count] : report.mapHashes)
    writer.startObject().member("mapHash", hash).member("records", static_cast<std::int64_t>(count)).endObject();
  writer.endArray();
  writeGroups(writer, report);
  writer.member("groupsLeftOut", static_cast<std::int64_t>(report.leftOut));
  if (!answer.next.empty()) writer.member("next", answer.next);
  writer.endObject();
  return text;
}

}  // namespace lotsen::inbound
