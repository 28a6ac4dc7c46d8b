#include "gateway/app/arguments.h"
#include "gateway/app/files.h"
#include "gateway/app/gateway_call.h"
#include "gateway/app/reprocess_report.h"
#include "gateway/app/verbs.h"
#include "gateway/inbound/reprocess.h"
#include "gateway/mapping/loss.h"
#include "gateway/sweden/civil_time.h"

#include <charconv>
#include <filesystem>
#include <iostream>

namespace lotsen::app {

namespace {

std::vector<Option> options() {
  std::vector<Option> all = {
      {"--map", "FILE", "the in-map of a channel, with the .drop file beside it; further ones for its imports", true},
      {"--records", "", "parked records, not deliveries: ids and filters mean these; --partner: who sent it"},
      {"--channel", "NAME", "maps, records: only this channel; maps: default all that take what the first map takes"},
      {"--made-by", "HASH", "maps: only records that these maps have made"},
      {"--from", "TIME", "maps: received then or later: an instant, or a day (from its start in Sweden)"},
      {"--to", "TIME", "maps: received before"},
      {"--limit", "N", "maps: examine at most so many records, the oldest first"},
      {"--state", "STATE",
       "maps: only records in this state (processed, parked); else of the deliveries: default parked"},
      {"--dry-run", "", "show what would happen; needed with --map"},
      {"--delivered", "", "also what the receiver has, or may have: it gets a second message"},
      {"--why", "TEXT", "the reason, for timeline and audit; no patient data"},
      {"--format", "text|json", "default text; json is the API's report, all calls added up"}};
  for (const Option& each : selectionOptions()) all.push_back(each);
  return withGatewayOptions(std::move(all));
}

const Usage& usage() {
  static const Usage kUsage{
      "reprocess",
      "[DELIVERY…|RECORD…]",
      "With --map (always a dry run): asks a running gateway what other maps would make of the records that it\n"
      "has stored, and prints the differences grouped by kind: counts, places and record ids, never a value.\n"
      "Nothing is changed; each call is written to the gateway's audit.\n\n"
      "With --records: understands parked records again with the gateway's own maps and configuration of today,\n"
      "as if they had come now; their legs go as consent and BTF allow. One that would be parked again stays as\n"
      "it is, and its line says why.\n\n"
      "Else: makes deliveries anew with the gateway's own maps of today, from the stored originals, as new\n"
      "messages that say which they replace; the old ones are cancelled. What the receiver has is left alone\n"
      "unless --delivered is given.\n\n"
      "Name deliveries or records by id, or mean all that fit a filter. A filter is a dry run: it shows what\n"
      "would become of each (of a message: where it would differ) and how many there are; --yes N does it, if\n"
      "the filter still means N, else nothing is done.\n\n"
      "Exit status: 0 no difference, or all of it was done (or would be); 1 there are differences or records\n"
      "that would fail, or some or all was not done; 2 wrong use, faults in the maps, or a gateway that refuses\n"
      "or does not answer (then nothing is on stdout).",
      options(),
      0,
      100};
  return kUsage;
}

int wrong(const std::string& text) {
  std::cerr << "lotsen reprocess: " << text << '\n';
  return kWrongUse;
}

bool refused(const std::string& text) {
  wrong(text);
  return false;
}

/// What the words ask for; `total` is the number of records to examine. False after telling the fault.
bool readRequest(const Arguments& arguments, inbound::Reprocess& reprocess, std::uint64_t& total) {
  const auto readTime = [&](const std::string& option, std::optional<Instant>& into) {
    if (!arguments.has(option)) return true;
    const std::string text = arguments.one(option);
    if (const auto day = sweden::parseCivilDate(text); day.ok()) {
      into = sweden::startOfDay(*day);
    } else if (const auto instant = parseInstant(text); instant.ok()) {
      into = *instant;
    } else {
      return refused(option + ": give a day (2026-03-02) or an instant with its zone (2026-03-02T08:00:00+01:00)");
    }
    return true;
  };
  auto& filter = reprocess.request.filter;
  reprocess.dryRun = true;
  filter.channel = arguments.one("--channel");
  filter.mapHash = arguments.one("--made-by");
  if (!readTime("--from", filter.from) || !readTime("--to", filter.until)) return false;
  if (const auto state = arguments.one("--state"); !state.empty()) {
    if (state != "processed" && state != "parked") return refused("--state: give processed or parked");
    filter.state = state == "parked" ? store::RecordState::Parked : store::RecordState::Processed;
  }
  total = UINT64_MAX;
  if (const auto limit = arguments.one("--limit"); !limit.empty()) {
    const auto read = std::from_chars(limit.data(), limit.data() + limit.size(), total);
    if (read.ec != std::errc() || read.ptr != limit.data() + limit.size() || total == 0)
      return refused("--limit: give a whole number from 1");
  }
  reprocess.request.why = arguments.one("--why");
  for (const auto& file : arguments.all("--map")) {
    reprocess.request.maps.push_back({file, {}});
    if (!readInput(file, reprocess.request.maps.back().text)) return false;
  }
  // As everywhere, what the map drops stands beside it; without such a file it drops nothing.
  auto& drops = reprocess.request.drops.emplace();
  drops.file = mapping::dropFileOf(reprocess.request.maps.front().file);
  return !std::filesystem::exists(drops.file) || readInput(drops.file, drops.text);
}

/// One call; nullopt after telling the fault.
std::optional<service::WhatIfAnswer> ask(GatewayCall& gateway, const inbound::Reprocess& reprocess) {
  const auto body = gateway.post("/api/v1/reprocess", inbound::reprocessBody(reprocess));
  if (!body) return std::nullopt;
  auto report = inbound::readReprocessJson(*body);
  if (report.ok()) return std::move(*report);
  wrong("the gateway answered with no report; is it a Lotsen of this version?");
  return std::nullopt;
}

/// Call after call, until the records or `total` end.
std::optional<service::WhatIfAnswer> askAll(GatewayCall& gateway, inbound::Reprocess reprocess, std::uint64_t total) {
  std::optional<service::WhatIfAnswer> sum;
  do {
    const std::uint64_t examined = sum ? sum->report.examined : 0;
    reprocess.request.filter.limit =
        static_cast<std::size_t>(std::min<std::uint64_t>(total - examined, service::WhatIf::kLimit));
    auto answer = ask(gateway, reprocess);
    if (!answer) return std::nullopt;
    reprocess.request.filter.after = answer->next;
    // What comes in during the walk does not belong to it: else it might never end.
    if (!reprocess.request.filter.until) reprocess.request.filter.until = answer->startedAt;
    if (sum) {
      service::add(sum->report, answer->report);
      sum->next = answer->next;
    } else {
      sum = std::move(answer);
    }
  } while (!sum->next.empty() && sum->report.examined < total);
  return sum;
}

}  // namespace

int reprocessVerb(const Words& words) {
  int exit = kFine;
  const auto arguments = Arguments::parse(usage(), words, exit);
  if (!arguments) return exit;
  if (!arguments->has("--map")) {
    const bool records = arguments->has("--records");
    // What belongs to another way of asking is no condition here, and must not seem to be one.
    const auto strange = records ? std::vector{"--made-by", "--from",      "--to",       "--limit",
                                               "--state",   "--delivered", "--endpoint", "--role"}
                                 : std::vector{"--channel", "--made-by", "--from", "--to", "--limit"};
    for (const char* option : strange) {
      if (arguments->has(option))
        return wrong(std::string(option) + " does not go " + (records ? "with --records" : "without --map"));
    }
    return records ? reopenRecords(*arguments) : remakeDeliveries(*arguments);
  }
  if (arguments->has("--records"))
    return wrong("--records takes up again with the gateway's own maps: leave --map out");
  if (!arguments->has("--dry-run"))
    return wrong(
        "other maps are tried only: give --dry-run; to use them on what is stored, install the maps, reload, and "
        "leave --map out");
  const std::string format = arguments->one("--format", "text");
  if (format != "text" && format != "json") return wrong("no format " + format + "; take text or json");
  inbound::Reprocess reprocess;
  std::uint64_t total = 0;
  if (!readRequest(*arguments, reprocess, total)) return kWrongUse;

  auto gateway = GatewayCall::open("reprocess", *arguments);
  if (!gateway) return kWrongUse;
  const auto answer = askAll(*gateway, std::move(reprocess), total);
  if (!answer) return kWrongUse;
  for (const auto& warning : answer->mapWarnings) std::cerr << warning << '\n';
  std::cout << (format == "json" ? inbound::reprocessJson(*answer) + '\n' : reprocessText(*answer));
  const auto& report = answer->report;
  return report.groups.empty() && report.leftOut == 0 ? kFine : kDataFailed;
}

}  // namespace lotsen::app
