// The dry run of a new mapping over records that are stored: what it tells, what it leaves out, and that it changes
// nothing. With the demo's configuration, records and maps.
#include "gateway/service/what_if.h"

#include "gateway/store/memory/state.h"
#include "tests/app/world.h"
#include "tests/queue/hooked_store.h"
#include "tests/store/describe.h"
#include "tests/support/temp_dir.h"

#include <algorithm>
#include <fstream>

namespace lotsen::test {
namespace {

using service::Finding;
using service::WhatIf;
using service::WhatIfAnswer;
using service::WhatIfRequest;

class WhatIfTest : public testing::Test {
 protected:
  /// Without the channel's profile: these tests are about differences, and it would refuse most of what they change.
  WhatIfTest() { demand({}); }

  void demand(std::vector<std::string> profiles) {
    auto changed = std::make_shared<service::Configuration>(*world_.current->get());
    changed->channels.at("pas/referral").profiles = std::move(profiles);
    world_.current->set(changed);
  }

  /// The referral's maps as they are in force, with one text replaced.
  WhatIfRequest edited(const std::string& from = "", const std::string& to = "") {
    WhatIfRequest request;
    request.maps = world_.current->get()->channels.at("pas/referral").maps;
    request.filter.limit = WhatIf::kLimit;
    if (!from.empty()) {
      EXPECT_NE(request.maps[0].text.find(from), std::string::npos) << "the map does not hold: " << from;
      replaceAll(request.maps[0].text, from, to);
    }
    return request;
  }

  void submit(const std::string& name, const std::string& kind) {
    const auto reception = world_.submit(kind, world_.record(name, kind));
    ASSERT_EQ(reception.verdict, service::Verdict::Accepted);
    world_.think();
  }

  WhatIfAnswer run(WhatIfRequest request) {
    fhir::Issues issues;
    auto answer = whatIf_.run(*world_.current->get(), anna_, std::move(request), issues);
    EXPECT_TRUE(answer.ok()) << (answer.ok() ? "" : answer.error().message);
    EXPECT_FALSE(issues.hasErrors()) << issues.list()[0].text;
    return answer.ok() ? std::move(*answer) : WhatIfAnswer{};
  }

  /// "value-changed Bundle.type 2/2" a group: records and count.
  static std::vector<std::string> told(const WhatIfAnswer& answer) {
    std::vector<std::string> lines;
    for (const auto& [key, group] : answer.report.groups) {
      std::string line(name(key.finding));
      if (!key.path.empty()) line += " " + key.path;
      if (!key.rule.empty()) line += " (" + key.rule + ")";
      lines.push_back(line + " " + std::to_string(group.records) + "/" + std::to_string(group.count));
    }
    return lines;
  }

  World world_;
  const identity::Principal anna_{"anna", {identity::Permission::Operate}};
  WhatIf whatIf_{world_.store, world_.clock};
};

using Told = std::vector<std::string>;
const std::string kRequest = "Bundle.entry.resource.ofType(ServiceRequest)";

TEST_F(WhatIfTest, TheSameMapsShowNoDifferenceNorDoesAComment) {
  for (const auto* name : {"own-region", "other-region", "internal"}) submit(name, "referral");
  const auto same = run(edited());
  EXPECT_EQ(told(same), Told{});
  EXPECT_EQ(same.report.examined, 3u);
  EXPECT_EQ(same.report.same, 3u);
  EXPECT_EQ(same.channels, std::vector<std::string>{"pas/referral"});
  EXPECT_TRUE(same.next.empty());
  ASSERT_EQ(same.report.mapHashes.size(), 1u);
  EXPECT_EQ(same.report.mapHashes.begin()->first, same.mapHash);

  auto request = edited();
  request.maps[0].text += "\n// Every id that uuid() makes is another one now.\n";
  const auto commented = run(std::move(request));
  EXPECT_NE(commented.mapHash, same.mapHash);
  EXPECT_EQ(told(commented), Told{});
  EXPECT_EQ(commented.report.same, 3u);
}

TEST_F(WhatIfTest, AChangedValueIsToldWithItsPlaceAndItsRecords) {
  submit("own-region", "referral");
  submit("other-region", "referral");
  const auto answer = run(edited("request.intent = 'order'", "request.intent = 'plan'"));
  EXPECT_EQ(told(answer), Told{"value-changed " + kRequest + ".intent 2/2"});
  EXPECT_EQ(answer.report.different, 2u);
  EXPECT_EQ(answer.report.groups.begin()->second.examples.size(), 2u);
}

TEST_F(WhatIfTest, ARuleThatIsGoneLeavesItsSourceFieldUnaccountedAndTheRecordFails) {
  submit("own-region", "referral");
  const std::string rule =
      "src.transferReason as v -> request.extension as x, x.url = "
      "'http://lotsen.se/fhir/StructureDefinition/transfer-reason',\n      x.value = v \"transfer-reason\";";
  const auto answer = run(edited(rule, ""));
  EXPECT_EQ(told(answer), (Told{"now-fails (source-unaccounted) 1/1",
                                "newly-unaccounted PasReferral.transferReason (source-unaccounted) 1/1",
                                "removed " + kRequest +
                                    ".extension('http://lotsen.se/fhir/StructureDefinition/transfer-reason') 1/1"}));
  EXPECT_EQ(answer.report.nowFail, 1u);
}

TEST_F(WhatIfTest, ANewDropListCountsAndItsFaultsAreTold) {
  submit("own-region", "referral");
  auto request = edited("src.question as v -> request.reasonCode = cc(v) \"question\";", "");
  const auto lost = run(request);
  const std::string gone = kRequest + ".reasonCode";
  EXPECT_EQ(told(lost),
            (Told{"now-fails (source-unaccounted) 1/1",
                  "newly-unaccounted PasReferral.question (source-unaccounted) 1/1", "removed " + gone + " 1/1"}))
      << "the rest of a record that fails for a lost field is compared too";
  request.drops =
      mapping::MapText{"new.drop", "PasReferral.question | nobody asks\nPasReferral.patient.address | protected\n"};
  EXPECT_EQ(told(run(request)), Told{"removed " + gone + " 1/1"});

  request.drops->text = "PasReferral.questions | nobody asks\n";
  fhir::Issues issues;
  EXPECT_EQ(whatIf_.run(*world_.current->get(), anna_, request, issues).error().code, Code::Invalid);
  EXPECT_NE(issues.list()[0].text.find("new.drop:1"), std::string::npos) << issues.list()[0].text;
}

TEST_F(WhatIfTest, ARuleThatReadsAndWritesNothingIsToldByTheUrlOfWhatIsMissing) {
  submit("own-region", "referral");
  const auto answer =
      run(edited("src.transferReason as v -> request.extension as x, "
                 "x.url = 'http://lotsen.se/fhir/StructureDefinition/transfer-reason',\n      x.value = v",
                 "src.transferReason as v -> request.note as x, x.text = v"));
  EXPECT_EQ(told(answer), (Told{"added " + kRequest + ".note 1/1",
                                "removed " + kRequest +
                                    ".extension('http://lotsen.se/fhir/StructureDefinition/transfer-reason') 1/1"}));
}

TEST_F(WhatIfTest, AnUrlThatIsMadeOfDataIsNotShown) {
  submit("own-region", "referral");
  const std::string url = "'http://lotsen.se/fhir/StructureDefinition/care-responsibility-remains'";
  EXPECT_EQ(told(run(edited("x.url = " + url, "x.url = append('http://example.org/', v)"))),
            (Told{"added " + kRequest + ".extension 1/1", "removed " + kRequest + ".extension(" + url + ") 1/1"}));
}

TEST_F(WhatIfTest, ARecordThatWouldFailIsToldWithTheRuleItBreaks) {
  submit("own-region", "referral");
  const auto invalid =
      run(edited("request.status = 'active' \"status-default\"", "request.status = 'no-such' \"status-default\""));
  EXPECT_EQ(invalid.report.nowFail + invalid.report.same, 1u);
  const auto answer = run(edited("request.intent = 'order'", "request.intent = 'no-such-intent'"));
  ASSERT_EQ(answer.report.nowFail, 1u);
  ASSERT_EQ(answer.report.groups.size(), 1u);
  const auto& [key, group] = *answer.report.groups.begin();
  EXPECT_EQ(key.finding, Finding::NowFails);
  EXPECT_EQ(key.path, kRequest + ".intent");
  EXPECT_FALSE(key.rule.empty());
  EXPECT_FALSE(group.text.empty());
  EXPECT_EQ(group.text.find("no-such-intent"), std::string::npos) << group.text;
}

// A map's now() is when the record was received, in the gateway and in the dry run alike.
TEST_F(WhatIfTest, AMapThatAsksForTheTimeShowsNoDifference) {
  auto changed = std::make_shared<service::Configuration>(*world_.current->get());
  auto& channel = changed->channels.at("pas/referral");
  replaceAll(channel.maps[0].text, "src -> request.intent = 'order' \"intent\";",
             "src -> request.intent = 'order' \"intent\"; src -> request.occurrence = evaluate(src, 'now()') \"now\";");
  fhir::Issues issues;
  auto library = mapping::Library::compile(channel.maps, changed->definitions, issues);
  ASSERT_TRUE(library.ok()) << issues.list()[0].text;
  channel.map = std::make_shared<const mapping::Library>(std::move(*library));
  world_.current->set(changed);

  const auto reception = world_.submit("referral", world_.record("own-region", "referral"));
  const Instant received = world_.clock.now();
  world_.clock.advance(std::chrono::minutes(5));
  world_.think();
  const auto stored = world_.store.record(reception.accepted.record);
  ASSERT_TRUE(stored.ok());
  EXPECT_NE(stored->canonical.find("\"occurrenceDateTime\":\"" + formatInstant(received).substr(0, 19)),
            std::string::npos)
      << stored->canonical;
  EXPECT_EQ(told(run(edited())), Told{});
}

TEST_F(WhatIfTest, AProfileThatTheNewMapBreaksIsToldWithItsRule) {
  submit("own-region", "referral");
  demand({"http://lotsen.se/fhir/StructureDefinition/record-referral"});
  EXPECT_EQ(told(run(edited("request.intent = 'order'", "request.intent = 'plan'"))),
            Told{"now-fails " + kRequest + ".intent (fixed) 1/1"});
}

TEST_F(WhatIfTest, WhatTheGatesCannotJudgeFails) {
  submit("own-region", "referral");
  const auto answer =
      run(edited("src.referralId as v -> request.identifier = id('http://lotsen.se/fhir/sid/referral-id', v)",
                 "src.referralId as v -> request.identifier = id('http://example.org/sid', v)"));
  EXPECT_EQ(answer.report.nowFail, 1u) << testing::PrintToString(told(answer));
}

TEST_F(WhatIfTest, TheConceptMapsInForceServeTheNewMapToo) {
  const test::TempDir folder;
  const std::string file = folder.file("intent.conceptmap.json");
  std::ofstream(file)
      << R"({"resourceType":"ConceptMap","url":"http://example.org/cm/intent","status":"active","group":[
    {"element":[{"code":"order","target":[{"code":"plan","equivalence":"equal"}]}]}]})";
  fhir::Issues issues;
  const auto loaded = definitions::load({file}, issues);
  ASSERT_TRUE(loaded.ok());
  auto more = std::make_shared<service::Configuration>(*world_.current->get());
  auto all = std::make_shared<definitions::Definitions>(*more->definitions);
  all->conceptMaps = (*loaded)->conceptMaps;
  more->definitions = all;
  world_.current->set(more);

  submit("own-region", "referral");
  const auto answer = run(edited("request.intent = 'order'",
                                 "request.intent = translate('order', 'http://example.org/cm/intent', 'code')"));
  EXPECT_EQ(told(answer), Told{"value-changed " + kRequest + ".intent 1/1"});
}

TEST_F(WhatIfTest, AParkedRecordThatWouldBeUsableIsTold) {
  // In force is a map that loses a field; the new one is the right one.
  auto broken = std::make_shared<service::Configuration>(*world_.current->get());
  auto lossy = edited("src.question as v -> request.reasonCode = cc(v) \"question\";", "");
  fhir::Issues issues;
  auto library = mapping::Library::compile(lossy.maps, broken->definitions, issues);
  ASSERT_TRUE(library.ok());
  const auto right = edited();
  broken->channels.at("pas/referral").map = std::make_shared<const mapping::Library>(std::move(*library));
  broken->channels.at("pas/referral").maps = lossy.maps;
  world_.current->set(broken);
  submit("own-region", "referral");

  const auto still = run(lossy);
  EXPECT_EQ(told(still), Told{});
  EXPECT_EQ(still.report.stillFail, 1u);
  const auto answer = run(right);
  EXPECT_EQ(told(answer), (Told{"now-succeeds (source-unaccounted) 1/1",
                                "newly-accounted PasReferral.question (source-unaccounted) 1/1"}));
  EXPECT_EQ(answer.report.nowSucceed, 1u);
  EXPECT_TRUE(answer.report.mapHashes.empty()) << "nothing was made";
}

TEST_F(WhatIfTest, AMapThatLoopsEndsAtTheStepLimit) {
  submit("own-region", "referral");
  submit("other-region", "referral");
  auto request = edited("src -> request.intent = 'order' \"intent\";",
                        "src -> request.intent = 'order' then Double0(src) \"intent\";");
  for (int i = 0; i < 40; ++i) {  // each calls the next one twice
    const std::string own = "Double" + std::to_string(i), next = "Double" + std::to_string(i + 1);
    request.maps[0].text +=
        "\ngroup " + own + "(source s) {\n  s then " + next + "(s) \"a\";\n  s then " + next + "(s) \"b\";\n}\n";
  }
  request.maps[0].text += "\ngroup Double40(source s) {\n  s as v \"c\";\n}\n";
  const auto answer = run(std::move(request));
  ASSERT_EQ(answer.report.nowFail, 2u) << testing::PrintToString(told(answer));
  EXPECT_EQ(answer.report.groups.begin()->first.rule, "map-limit");
}

TEST_F(WhatIfTest, FaultsOfTheMapAreToldWithTheirPlaceAndNoRecordIsLookedAt) {
  submit("own-region", "referral");
  fhir::Issues issues;
  auto request = edited("request.intent = 'order'", "request.intention = 'order'");
  request.maps[0].file = "new.map";
  const auto answer = whatIf_.run(*world_.current->get(), anna_, std::move(request), issues);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Code::Invalid);
  ASSERT_TRUE(issues.hasErrors());
  EXPECT_NE(issues.list()[0].text.find("new.map:"), std::string::npos) << issues.list()[0].text;
}

TEST_F(WhatIfTest, AMapThatFitsNoChannelIsRefused) {
  const auto refused = [&](WhatIfRequest request) {
    fhir::Issues issues;
    const auto answer = whatIf_.run(*world_.current->get(), anna_, std::move(request), issues);
    EXPECT_FALSE(answer.ok());
    return issues.list().empty() ? std::string() : issues.list().back().rule;
  };
  auto request = edited();
  request.filter.channel = "pas/consent";
  EXPECT_EQ(refused(std::move(request)), "no-channel");
  request = edited();
  std::swap(request.maps[0], request.maps[1]);
  EXPECT_EQ(refused(std::move(request)), "map-target") << "the common groups are no in-map";
}

TEST_F(WhatIfTest, AWalkGoesOnWhereItEndedAndItsReportsAddUp) {
  for (const auto* name : {"own-region", "other-region", "internal"}) submit(name, "referral");
  submit("own-region", "consent");
  auto request = edited("request.intent = 'order'", "request.intent = 'plan'");
  request.filter.limit = 1;
  std::uint64_t examined = 0, changed = 0;
  std::vector<store::Id> seen;
  for (int calls = 0; calls < 10; ++calls) {
    const auto answer = run(request);
    EXPECT_LE(answer.report.examined, 1u);
    examined += answer.report.examined;
    for (const auto& [key, group] : answer.report.groups) {
      changed += group.count;
      seen.insert(seen.end(), group.examples.begin(), group.examples.end());
    }
    if (answer.next.empty()) break;
    request.filter.after = answer.next;
  }
  EXPECT_EQ(examined, 3u) << "the consent is another channel's";
  EXPECT_EQ(changed, 3u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_F(WhatIfTest, ACallEndsAtItsTimeAndSaysWhereTheNextGoesOn) {
  struct Slow final : Clock {
    Instant now() override { return at += std::chrono::seconds(1); }
    Instant at{};
  } slow;
  for (const auto* name : {"own-region", "other-region", "internal"}) submit(name, "referral");
  WhatIf whatIf(world_.store, slow);
  fhir::Issues issues;
  auto request = edited();
  std::vector<std::uint64_t> examined;
  for (bool more = true; more && examined.size() < 9;) {
    const auto answer = whatIf.run(*world_.current->get(), anna_, request, issues);
    ASSERT_TRUE(answer.ok());
    examined.push_back(answer->report.examined);
    request.filter.after = answer->next;
    more = !answer->next.empty();
  }
  EXPECT_EQ(examined, (std::vector<std::uint64_t>{2, 1})) << "two seconds, a second a record";
}

TEST_F(WhatIfTest, WhoLookedAtWhatAndWhyStandsInTheAudit) {
  submit("own-region", "referral");
  auto request = edited();
  request.filter.state = store::RecordState::Processed;
  request.why = "new care areas";
  const auto answer = run(request);
  const auto audited = world_.store.snapshot()->audit;
  ASSERT_FALSE(audited.empty());
  const auto& entry = audited.back().entry;
  EXPECT_EQ(entry.actor, "operator:anna");
  EXPECT_EQ(entry.action, "reprocess-dry-run");
  EXPECT_EQ(entry.detail, "{\"mapHash\":\"" + answer.mapHash +
                              "\",\"channels\":[\"pas/referral\"],\"state\":\"processed\",\"examined\":1,\"why\":"
                              "\"new care areas\"}");
  EXPECT_TRUE(world_.store.verifyAudit().ok());
}

TEST_F(WhatIfTest, NoReportWithoutItsAuditRow) {
  submit("own-region", "referral");
  HookedStore hooked(world_.store);
  hooked.before = [](std::string_view verb) -> Status {
    return verb == "note" ? Status(fail(Code::Busy, "full")) : done();
  };
  WhatIf whatIf(hooked, world_.clock);
  fhir::Issues issues;
  EXPECT_EQ(whatIf.run(*world_.current->get(), anna_, edited(), issues).error().code, Code::Busy);
}

TEST_F(WhatIfTest, OneCallRunsAtATime) {
  submit("own-region", "referral");
  HookedStore hooked(world_.store);
  WhatIf whatIf(hooked, world_.clock);
  std::vector<Code> second;
  hooked.before = [&](std::string_view verb) -> Status {
    fhir::Issues issues;
    if (verb == "records") second.push_back(whatIf.run(*world_.current->get(), anna_, edited(), issues).error().code);
    return done();
  };
  for (int calls = 0; calls < 2; ++calls) {
    fhir::Issues issues;
    EXPECT_TRUE(whatIf.run(*world_.current->get(), anna_, edited(), issues).ok());
  }
  EXPECT_EQ(second, (std::vector<Code>{Code::Busy, Code::Busy}));
}

TEST_F(WhatIfTest, WhatIsStoredAndCannotBeReadAnyMoreIsTold) {
  submit("own-region", "referral");
  store::AcceptItem item;
  item.record = world_.store.records({})->records.at(0);
  item.record.id = "0198a000-0000-7000-8000-000000000001";
  item.record.key += "-2";
  item.record.canonical = R"({"resourceType":"Bundle","type":"collection","gone":true})";
  ASSERT_TRUE(world_.store.accept(item).ok());
  EXPECT_EQ(told(run(edited())), Told{"stored-unreadable (canonical-invalid) 1/1"});
}

TEST_F(WhatIfTest, AChannelThatWarnsTellsWarningsAndKeepsItsRecords) {
  auto lenient = std::make_shared<service::Configuration>(*world_.current->get());
  lenient->channels.at("pas/referral").unaccounted = service::Channel::Unaccounted::Warn;
  world_.current->set(lenient);
  submit("own-region", "referral");
  const auto lossy = run(edited("src.question as v -> request.reasonCode = cc(v) \"question\";", ""));
  EXPECT_EQ(lossy.report.nowFail, 0u);
  EXPECT_EQ(lossy.report.different, 1u);
  EXPECT_EQ(told(lossy), (Told{"newly-unaccounted PasReferral.question (source-unaccounted) 1/1",
                               "removed " + kRequest + ".reasonCode 1/1"}));
}

TEST_F(WhatIfTest, AChannelThatCarriesTheOriginalAlongRefusesOnlyWhatItMayNotCarry) {
  auto carrying = std::make_shared<service::Configuration>(*world_.current->get());
  carrying->channels.at("pas/referral").unaccounted = service::Channel::Unaccounted::Carry;
  world_.current->set(carrying);
  submit("own-region", "referral");
  const auto lossy = edited("src.question as v -> request.reasonCode = cc(v) \"question\";", "");
  const auto carried = run(lossy);
  EXPECT_EQ(carried.report.different, 1u);
  EXPECT_EQ(told(carried), (Told{"newly-unaccounted PasReferral.question (source-unaccounted) 1/1",
                                 "added Bundle.meta 1/1", "removed " + kRequest + ".reasonCode 1/1"}))
      << "the mark of a part, which sends the original along, is a difference";

  std::string guarded = world_.record("other-region", "referral");
  replaceAll(guarded, "\"patient\": {", "\"patient\": {\"protectedIdentity\": \"sekretessmarkering\",");
  ASSERT_EQ(world_.submit("referral", guarded).verdict, service::Verdict::Accepted);
  world_.think();
  const auto refused = run(lossy);
  EXPECT_EQ(refused.report.examined, 2u);
  EXPECT_EQ(refused.report.nowFail, 1u) << testing::PrintToString(told(refused));
  EXPECT_EQ(refused.report.groups.at({Finding::NowFails, "", "source-unaccounted"}).records, 1u);
  EXPECT_EQ(refused.report.groups.at({Finding::Unaccounted, "PasReferral.question", "source-unaccounted"}).records, 2u);
}

TEST(WhatIfReport, ReportsOfDifferentRecordsAddUp) {
  using service::WhatIfReport;
  const WhatIfReport::Key key{Finding::Added, "Bundle.type", ""}, other{Finding::Removed, "Bundle.type", ""};
  WhatIfReport sum, more;
  sum.examined = sum.same = 2;
  sum.mapHashes["a"] = 2;
  sum.groups[key] = {1, 3, "", {"1", "2", "3", "4"}};
  more.examined = more.nowFail = 5;
  more.leftOut = 1;
  more.mapHashes = {{"a", 1}, {"b", 4}};
  more.groups[key] = {2, 2, "", {"5", "6"}};
  more.groups[other] = {1, 1, "why", {"7"}};
  service::add(sum, more);
  EXPECT_EQ(sum.examined, 7u);
  EXPECT_EQ(sum.same, 2u);
  EXPECT_EQ(sum.nowFail, 5u);
  EXPECT_EQ(sum.leftOut, 1u);
  EXPECT_EQ(sum.mapHashes["a"], 3u);
  EXPECT_EQ(sum.mapHashes["b"], 4u);
  EXPECT_EQ(sum.groups[key].records, 3u);
  EXPECT_EQ(sum.groups[key].count, 5u);
  EXPECT_EQ(sum.groups[key].examples, (std::vector<store::Id>{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(sum.groups[other].text, "why");
}

TEST_F(WhatIfTest, NothingIsChanged) {
  submit("own-region", "referral");
  submit("own-region", "consent");
  const std::string before = describe(world_.store, world_.clock.now());
  EXPECT_EQ(run(edited("request.intent = 'order'", "request.intent = 'no-such-intent'")).report.nowFail, 1u);
  EXPECT_EQ(describe(world_.store, world_.clock.now()), before);
}

}  // namespace
}  // namespace lotsen::test
