#include "gateway/service/what_if.h"

#include "gateway/fhir/outcome.h"
#include "gateway/json/writer.h"
#include "gateway/service/reasons.h"
#include "gateway/service/tree_difference.h"
#include "gateway/service/understanding.h"
#include "gateway/transfer/facts.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

namespace lotsen::service {

namespace {

using Key = WhatIfReport::Key;

constexpr std::size_t kPage = 16;  // records held at a time

constexpr std::string_view kNames[] = {"now-fails",       "fails-otherwise", "now-succeeds", "newly-unaccounted",
                                       "newly-accounted", "value-changed",   "added",        "removed",
                                       "order-changed",   "new-warning",     "gone-warning", "stored-unreadable"};

/// What an issue is about, told alike for stored and new ones.
struct About {
  std::string rule, path;
  auto operator<=>(const About&) const = default;
};

/// That some field is unaccounted; which ones is told apart.
About anyUnaccounted() {
  return {std::string(reason::kSourceUnaccounted), {}};
}

/// The issues of one mapping by what they are about, with the text of the first.
struct Account {
  std::map<About, std::string> errors, warnings, unaccounted;

  void add(const fhir::Issues& issues) {
    for (const auto& issue : issues.list()) {
      const About about{issue.rule, withoutIndexes(issue.expression)};
      if (issue.rule == reason::kSourceUnaccounted) {
        unaccounted.emplace(about, issue.text);
      } else if (issue.severity <= fhir::Severity::Error) {
        errors.emplace(about, issue.text);
      } else if (issue.severity == fhir::Severity::Warning) {
        warnings.emplace(about, issue.text);
      }
    }
  }
};

// What is stored was written by operationOutcome(), and so is what a new run gives: the two are read in the same way.
Account accountOf(const std::string& outcome) {
  Account account;
  if (outcome.empty()) return account;
  const auto issues = fhir::readOutcome(outcome);
  if (issues.ok()) account.add(*issues);
  return account;
}

template <typename Facts>
bool reads(Result<Facts> (*read)(const fhir::Document&, fhir::Issues&), const fhir::Document& canonical,
           fhir::Issues& issues) {
  return read(canonical, issues).ok();
}

/// The gates can judge this canonical form (case_file.h: one that they cannot is as good as a parked record).
bool isJudgeable(store::RecordKind kind, const fhir::Document& canonical, fhir::Issues& issues) {
  switch (kind) {
    case store::RecordKind::Referral: return reads(transfer::referralFacts, canonical, issues);
    case store::RecordKind::Consent: return reads(transfer::consentFacts, canonical, issues);
    case store::RecordKind::Btf: return reads(transfer::btfFacts, canonical, issues);
    default: return true;
  }
}

/// Which extension urls stand in the maps: others may be made of data, and are not shown.
class Shown {
 public:
  explicit Shown(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  bool operator()(std::string_view url) {
    const auto [known, isNew] = known_.try_emplace(std::string(url), false);
    if (isNew) {
      for (const char quote : {'\'', '"'}) {
        const std::string literal = quote + known->first + quote;
        known->second = known->second || std::any_of(texts_.begin(), texts_.end(), [&](const std::string& text) {
                          return text.find(literal) != std::string::npos;
                        });
      }
    }
    return known->second;
  }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, bool> known_;
};

/// One call: the records that it examines, and the report that grows.
class Examination {
 public:
  /// `current`: what is in force, whose channels say what an unaccounted field leads to.
  Examination(const Configuration& current, const Configuration& trial, Shown& shown, WhatIfReport& report)
      : current_(current), trial_(trial), shown_(shown), report_(report) {}

  void examine(store::Record record) {
    ++report_.examined;
    if (record.state == store::RecordState::Accepted) {
      ++report_.waiting;
      return;
    }
    id_ = record.id;
    told_.clear();
    const bool worked = record.state == store::RecordState::Processed;
    if (worked) ++report_.mapHashes[record.mapHash];
    Account before = accountOf(record.issues);
    if (record.reason == reason::kSourceUnaccounted) before.errors.emplace(anyUnaccounted(), std::string());
    const std::string oldReason = std::exchange(record.reason, {});
    const std::string oldCanonical = std::exchange(record.canonical, {});
    record.state = store::RecordState::Accepted;
    const auto understood = understand(trial_, record);
    const bool mapped = understood.canonical.has_value();
    const Account after = newAccount(record, understood);
    const bool works = mapped && after.errors.empty();

    if (mapped || understood.change.reason == reason::kSourceUnaccounted)
      compareAccounts(before, after, worked || oldReason == reason::kSourceUnaccounted);
    if (mapped && worked) compareResults(record.body, oldCanonical, understood.change.canonical);
    if (!works) {
      if (worked) before.errors.clear();
      tellMissing(worked ? Finding::NowFails : Finding::FailsOtherwise, after.errors, before.errors);
    } else if (!worked) {
      tell({Finding::NowSucceeds, {}, oldReason});
    }
    ++count(worked, works);
  }

 private:
  /// Where a record counts that was usable and is so now. REQUIRES: all differences have been told.
  std::uint64_t& count(bool worked, bool works) {
    if (!works) return worked ? report_.nowFail : report_.stillFail;
    if (!worked) return report_.nowSucceed;
    return told_.empty() ? report_.same : report_.different;
  }

  /// All that speaks for and against the new result, whichever step of reception would have told it.
  Account newAccount(const store::Record& record, const Understood& understood) const {
    Account account = accountOf(understood.change.issues);
    if (!understood.canonical) {
      if (account.errors.empty()) account.errors.emplace(About{understood.change.reason, {}}, std::string());
      return account;
    }
    fhir::Issues issues;
    if (!isJudgeable(record.kind, *understood.canonical, issues)) account.add(issues);
    const bool refuses = current_.channels.at(record.channel).unaccounted == Channel::Unaccounted::Refuse;
    if (refuses && !account.unaccounted.empty()) account.errors.emplace(anyUnaccounted(), std::string());
    return account;
  }

  void tell(const Key& key, std::string_view text = {}) {
    auto found = report_.groups.find(key);
    if (found == report_.groups.end()) {
      if (report_.groups.size() == WhatIf::kGroups) {
        ++report_.leftOut;
        told_.insert(key);
        return;
      }
      found = report_.groups.emplace(key, FindingGroup{}).first;
      found->second.text = text;
    }
    FindingGroup& group = found->second;
    ++group.count;
    if (!told_.insert(key).second) return;
    ++group.records;
    if (group.examples.size() < WhatIf::kExamples) group.examples.push_back(id_);
  }

  void tellMissing(Finding finding, const std::map<About, std::string>& from, const std::map<About, std::string>& in) {
    for (const auto& [about, text] : from) {
      if (in.find(about) == in.end()) tell({finding, about.path, about.rule}, text);
    }
  }

  /// `both`: the old mapping came as far as its account too.
  void compareAccounts(const Account& before, const Account& after, bool both) {
    tellMissing(Finding::Unaccounted, after.unaccounted, before.unaccounted);
    if (!both) return;
    tellMissing(Finding::Accounted, before.unaccounted, after.unaccounted);
    tellMissing(Finding::NewWarning, after.warnings, before.warnings);
    tellMissing(Finding::GoneWarning, before.warnings, after.warnings);
  }

  void compareResults(const std::string& original, const std::string& before, const std::string& after) {
    fhir::Issues issues;
    fhir::ReadOptions options;
    options.type = trial_.schema()->findType("Bundle");
    const auto old = fhir::readJson(before, trial_.schema(), options, issues);
    if (!old.ok()) {
      tell({Finding::Unreadable, {}, std::string(reason::kCanonicalInvalid)});
      return;
    }
    // The new one is read too, so that both went through the same writer and reader.
    const auto fresh = fhir::readJson(after, trial_.schema(), options, issues);
    if (!fresh.ok()) {
      tell({Finding::NowFails, {}, std::string(reason::kCanonicalInvalid)});
      return;
    }
    const Comparing comparing{uuidsIn(original), [this](std::string_view url) { return shown_(url); }};
    for (const auto& difference : differences(*old, *fresh, comparing)) {
      static constexpr Finding kFindings[] = {Finding::ValueChanged, Finding::Added, Finding::Removed,
                                              Finding::OrderChanged};
      tell({kFindings[static_cast<std::size_t>(difference.change)], difference.path, {}});
    }
  }

  const Configuration& current_;
  const Configuration& trial_;
  Shown& shown_;
  WhatIfReport& report_;
  store::Id id_;        // of the record at hand
  std::set<Key> told_;  // about it
};

/// The configuration as it would be with the given maps and drops; Invalid with an issue if no channel takes them.
Result<Configuration> withMaps(const Configuration& configuration, const WhatIfRequest& request,
                               std::vector<std::string>& channels, fhir::Issues& issues) {
  auto compiled = mapping::Library::compile(request.maps, configuration.definitions, issues);
  if (!compiled.ok()) return compiled.error();
  const auto library = std::make_shared<const mapping::Library>(std::move(*compiled));
  const auto refuse = [&](std::string_view rule, std::string text) -> Error {
    issues.error("not-supported", rule, text);
    return fail(Code::Invalid, std::move(text));
  };
  if (library->targetType() != configuration.schema()->findType("Bundle"))
    return refuse("map-target", "the first map does not make a Bundle; give the in-map of a channel first");
  Configuration trial = configuration;
  for (auto& [id, channel] : trial.channels) {
    if (channel.model != library->sourceType() || (!request.filter.channel.empty() && id != request.filter.channel))
      continue;
    channel.map = library;
    // So that the rest of a record that would be refused is compared too.
    if (channel.unaccounted == Channel::Unaccounted::Refuse) channel.unaccounted = Channel::Unaccounted::Warn;
    if (request.drops) {
      LOTSEN_TRY(channel.drops, mapping::DropList::parse(request.drops->file, request.drops->text,
                                                         *configuration.schema(), channel.model, issues));
    }
    channels.push_back(id);
  }
  if (!channels.empty()) return trial;
  if (request.filter.channel.empty())
    return refuse("map-source", "no channel takes what the first map takes; give the in-map of a channel first");
  return refuse("no-channel", "no channel " + request.filter.channel + " takes what the first map takes");
}

/// Examines what fits the filter until its limit, the time or the records end; answer.next says which of them it was.
Status walk(store::Store& store, Clock& clock, Instant end, store::RecordFilter filter, Examination& examination,
            WhatIfAnswer& answer) {
  const std::size_t limit = std::min(filter.limit, WhatIf::kLimit);
  for (;;) {
    filter.limit = std::min<std::size_t>(limit - answer.report.examined, kPage);
    LOTSEN_TRY(auto page, store.records(filter));
    for (auto& record : page.records) {
      filter.after = record.id;
      if (std::find(answer.channels.begin(), answer.channels.end(), record.channel) == answer.channels.end()) continue;
      examination.examine(std::move(record));
      if (clock.now() < end && answer.report.examined < limit) continue;
      answer.next = filter.after;
      return done();
    }
    if (page.next.empty()) return done();
    filter.after = page.next;
    if (clock.now() < end) continue;
    answer.next = page.next;
    return done();
  }
}

std::string detailOf(const WhatIfRequest& request, const WhatIfAnswer& answer) {
  const auto& filter = request.filter;
  std::string text;
  json::Writer writer(text);
  writer.startObject().member("mapHash", answer.mapHash).key("channels").startArray();
  for (const auto& channel : answer.channels) writer.string(channel);
  writer.endArray();
  if (filter.state) writer.member("state", store::name(*filter.state));
  if (!filter.mapHash.empty()) writer.member("madeBy", filter.mapHash);
  if (filter.from) writer.member("from", formatInstant(*filter.from));
  if (filter.until) writer.member("to", formatInstant(*filter.until));
  if (!filter.after.empty()) writer.member("after", filter.after);
  writer.member("examined", static_cast<std::int64_t>(answer.report.examined));
  if (!answer.next.empty()) writer.member("next", answer.next);
  if (!request.why.empty()) writer.member("why", request.why);
  writer.endObject();
  return text;
}

/// Sets a flag for as long as it lives, if nobody else has.
class Turn {
 public:
  explicit Turn(std::atomic<bool>& taken) : taken_(taken), mine_(!taken.exchange(true)) {}
  ~Turn() {
    if (mine_) taken_ = false;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool mine() const { return mine_; }

 private:
  std::atomic<bool>& taken_;
  const bool mine_;
};

}  // namespace

std::string_view name(Finding finding) {
  return kNames[static_cast<std::size_t>(finding)];
}

std::optional<Finding> findingOf(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Finding>(i);
  }
  return std::nullopt;
}

void add(WhatIfReport& report, const WhatIfReport& more) {
  for (const auto count :
       {&WhatIfReport::examined, &WhatIfReport::same, &WhatIfReport::different, &WhatIfReport::nowFail,
        &WhatIfReport::nowSucceed, &WhatIfReport::stillFail, &WhatIfReport::waiting, &WhatIfReport::leftOut})
    report.*count += more.*count;
  for (const auto& [hash, records] : more.mapHashes) report.mapHashes[hash] += records;
  for (const auto& [key, group] : more.groups) {
    auto& sum = report.groups.try_emplace(key, FindingGroup{0, 0, group.text, {}}).first->second;
    sum.records += group.records;
    sum.count += group.count;
    for (const auto& id : group.examples) {
      if (sum.examples.size() < WhatIf::kExamples) sum.examples.push_back(id);
    }
  }
}

Result<WhatIfAnswer> WhatIf::run(const Configuration& configuration, const identity::Principal& who,
                                 WhatIfRequest request, fhir::Issues& issues) {
  const Turn turn(running_);
  if (!turn.mine()) return fail(Code::Busy, "another dry run is being worked on; try again");
  WhatIfAnswer answer;
  answer.startedAt = clock_.now();
  LOTSEN_TRY(const Configuration trial, withMaps(configuration, request, answer.channels, issues));
  answer.mapWarnings.reserve(issues.list().size());
  for (const auto& issue : issues.list()) answer.mapWarnings.push_back(issue.text);
  answer.mapHash = trial.channels.at(answer.channels.front()).map->hash();

  std::vector<std::string> texts;
  texts.reserve(request.maps.size());
  for (auto& map : request.maps) texts.push_back(std::move(map.text));
  for (const auto& id : answer.channels) {
    for (const auto& map : configuration.channels.at(id).maps) texts.push_back(map.text);
  }
  Shown shown(std::move(texts));
  Examination examination(configuration, trial, shown, answer.report);
  LOTSEN_TRY_DO(walk(store_, clock_, answer.startedAt + kTime, request.filter, examination, answer));
  LOTSEN_TRY_DO(
      store_.note({{clock_.now(), "operator:" + who.partner, "reprocess-dry-run", {}, {}, detailOf(request, answer)}}));
  return answer;
}

}  // namespace lotsen::service
