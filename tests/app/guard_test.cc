// What validation leads to, in and out: refuse, warn and off by partner and kind, the profiles of channels and legs,
// and what is counted.
#include "world.h"

#include <algorithm>

namespace lotsen::test {
namespace {

using service::Strictness;
using service::Verdict;
using store::DeliveryState;
using store::RecordState;
using store::Role;

constexpr std::string_view kOrder = R"({"resourceType": "StructureDefinition", "url": "http://example.org/order",
  "name": "Order", "status": "draft", "kind": "resource", "abstract": false, "type": "ServiceRequest",
  "baseDefinition": "http://hl7.org/fhir/StructureDefinition/ServiceRequest", "derivation": "constraint",
  "differential": {"element": [{"id": "ServiceRequest.code", "path": "ServiceRequest.code", "min": 1}]}})";
constexpr std::string_view kReferral = R"({"resourceType": "MessageDefinition", "url": "http://example.org/referral",
  "status": "draft", "date": "2026", "eventCoding": {"system": "http://example.org/events", "code": "referral"},
  "focus": [{"code": "ServiceRequest", "profile": "http://example.org/order", "min": 1, "max": "1"}]})";
/// What no Bundle of ours has: a signature.
constexpr std::string_view kSigned = R"({"resourceType": "StructureDefinition", "url": "http://example.org/signed",
  "name": "Signed", "status": "draft", "kind": "resource", "abstract": false, "type": "Bundle",
  "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Bundle", "derivation": "constraint",
  "differential": {"element": [{"id": "Bundle.signature", "path": "Bundle.signature", "min": 1}]}})";

void after(std::string& text, const std::string& line, const std::string& more) {
  const auto at = text.find(line);
  ASSERT_NE(at, std::string::npos) << line;
  text.insert(at + line.size(), more);
}

using Lines = std::map<std::string, std::string>;

/// The demo's world with a package that defines a message "referral", whose order must have a code, and these lines in
/// the sections of partners.
class GuardWorld : public World {
 public:
  explicit GuardWorld(const Lines& lines = {})
      : World([&](std::string& text, const std::string& place) {
          std::filesystem::create_directories(place + "/package");
          std::ofstream(place + "/package/order.json") << kOrder;
          std::ofstream(place + "/package/referral.json") << kReferral;
          std::ofstream(place + "/package/signed.json") << kSigned;
          after(text, "[gateway]\n", "package = package\n");
          for (const auto& [partner, more] : lines) after(text, "[partner " + partner + "]\n", more);
        }) {}

  void change(const std::function<void(service::Configuration&)>& edit) {
    auto changed = std::make_shared<service::Configuration>(*current->get());
    edit(*changed);
    current->set(changed);
  }

  /// All records of the demo's case; then what follows.
  store::TransferView send() {
    store::Id transfer;
    for (const char* kind : {"referral", "consent", "btf"})
      transfer = submit(kind, record("own-region", kind)).accepted.transfer;
    deliver();
    return view(transfer);
  }

  double counted(const std::string& series) const {
    const std::string text = "\n" + metrics.exposition();
    const auto at = text.find("\n" + series + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 2));
  }
};

/// A message of this partner to nobody in particular.
std::string message(const World& world, const std::string& partner, const std::string& order, int number) {
  const std::string id = "0100001" + std::to_string(number) + "-1111-4111-8111-0000000000";
  return R"({"resourceType": "Bundle", "type": "message", "timestamp": "2026-03-02T08:14:07Z", "entry": [
    {"fullUrl": "urn:uuid:)" +
         id + R"(01", "resource": {"resourceType": "MessageHeader", "id": ")" + id + R"(01",
      "eventCoding": {"system": "http://example.org/events", "code": "referral"},
      "destination": [{"endpoint": "urn:nobody"}], "source": {"endpoint": ")" +
         world.current->get()->partner(partner)->contact.endpoint + R"("},
      "focus": [{"reference": "urn:uuid:)" +
         id + R"(02"}]}},
    {"fullUrl": "urn:uuid:)" +
         id + R"(02", "resource": {"resourceType": "ServiceRequest", "id": ")" + id + R"(02",
      "status": "active", "intent": "order")" +
         order + R"(, "subject": {"reference": "urn:uuid:)" + id + R"(03"}}},
    {"fullUrl": "urn:uuid:)" +
         id + R"(03", "resource": {"resourceType": "Patient", "id": ")" + id + R"(03"}}]})";
}

std::string rules(const fhir::Issues& issues) {
  std::string told;
  for (const auto& issue : issues.list()) told += std::string(severityCode(issue.severity)) + " " + issue.rule + "\n";
  return told;
}

const store::AuditEntry* entryOf(const store::TransferView& view, std::string_view action) {
  const auto found = std::find_if(view.timeline.begin(), view.timeline.end(),
                                  [&](const auto& entry) { return entry.action == action; });
  return found == view.timeline.end() ? nullptr : &*found;
}

const store::Delivery& leg(const store::TransferView& view, Role role) {
  const auto found =
      std::find_if(view.deliveries.begin(), view.deliveries.end(), [&](const auto& each) { return each.role == role; });
  static const store::Delivery kNone;
  EXPECT_NE(found, view.deliveries.end());
  return found == view.deliveries.end() ? kNone : *found;
}

// The order in the message has no code, which its MessageDefinition asks for.
TEST(Guard, TheSameMessageFromThreePartners) {
  GuardWorld world(Lines{{"provider", "validate_in = refuse\n"},
                         {"mediator", "validate_in = warn\n"},
                         {"region-provider", "validate_in referral = off\n"}});
  const auto refused = world.sendMessage("provider", message(world, "provider", "", 1));
  EXPECT_EQ(refused.verdict, Verdict::Refused);
  EXPECT_EQ(rules(refused.issues), "error message-focus\n");
  EXPECT_TRUE(world.store.transfers({})->empty()) << "nothing of it is stored";

  const auto warned = world.sendMessage("mediator", message(world, "mediator", "", 2));
  ASSERT_EQ(warned.verdict, Verdict::Accepted);
  world.think();
  const auto view = world.view(warned.accepted.transfer);
  EXPECT_EQ(view.records.front().state, RecordState::Processed);
  EXPECT_NE(view.records.front().issues.find("rule message-focus"), std::string::npos) << view.records.front().issues;
  EXPECT_NE(view.records.front().issues.find("\"warning\""), std::string::npos);
  const auto* entry = entryOf(view, "validation-warned");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->subject, view.records.front().id);
  EXPECT_NE(entry->detail.find(R"("what":"referral","issues":[{"rule":"message-focus")"), std::string::npos)
      << entry->detail;

  const auto unchecked = world.sendMessage("region-provider", message(world, "region-provider", "", 3));
  ASSERT_EQ(unchecked.verdict, Verdict::Accepted);
  EXPECT_EQ(world.view(unchecked.accepted.transfer).records.front().issues, "");
  EXPECT_EQ(entryOf(world.view(unchecked.accepted.transfer), "validation-warned"), nullptr);

  const auto right = world.sendMessage("provider", message(world, "provider", R"(, "code": {"text": "EKG"})", 4));
  EXPECT_EQ(right.verdict, Verdict::Accepted) << rules(right.issues);

  for (const char* verdict : {"refused", "warned", "unchecked", "passed"}) {
    EXPECT_EQ(world.counted(R"(lotsen_validated_total{direction="in",kind="referral",verdict=")" +
                            std::string(verdict) + "\"}"),
              1)
        << verdict;
  }
  EXPECT_EQ(world.counted(R"(lotsen_validation_issues_total{direction="in",rule="message-focus",severity="error"})"),
            2);
  EXPECT_EQ(world.counted(R"(lotsen_validation_seconds_count{direction="in"})"), 3);
}

// Whatever is configured: what cannot be read is not taken, and neither is what is no message.
TEST(Guard, OffMeansParseOnly) {
  GuardWorld world(Lines{{"provider", "validate_in = off\n"}});
  auto strange = message(world, "provider", R"(, "colour": "red")", 1);
  EXPECT_EQ(world.sendMessage("provider", strange).verdict, Verdict::Refused);
  auto headless = message(world, "provider", "", 2);
  replaceAll(headless, "\"type\": \"message\"", "\"type\": \"collection\"");
  EXPECT_EQ(rules(world.sendMessage("provider", headless).issues), "error not-a-message\n");
  auto badCode = message(world, "provider", "", 3);
  replaceAll(badCode, "\"active\"", "\"no-such-status\"");
  EXPECT_EQ(world.sendMessage("provider", badCode).verdict, Verdict::Accepted);
}

TEST(Guard, AChannelsProfileHoldsForTheCanonicalForm) {
  const auto recordAfter = [](const std::string& lines) {
    GuardWorld world(Lines{{"pas", lines}});
    world.change([](service::Configuration& configuration) {
      configuration.channels.at("pas/referral").profiles = {"http://example.org/signed"};
    });
    return world.send();
  };
  const auto parked = recordAfter("");
  EXPECT_EQ(parked.records.front().state, RecordState::Parked);
  EXPECT_EQ(parked.records.front().reason, "canonical-invalid");
  EXPECT_NE(parked.records.front().issues.find("http://example.org/signed"), std::string::npos);
  EXPECT_TRUE(parked.deliveries.empty());

  const auto warned = recordAfter("validate_in pas/referral = warn\n");
  EXPECT_EQ(warned.transfer.state, store::TransferState::Completed);
  EXPECT_NE(warned.records.front().issues.find("http://example.org/signed"), std::string::npos);
  ASSERT_NE(entryOf(warned, "validation-warned"), nullptr);

  const auto unchecked = recordAfter("validate_in = off\n");
  EXPECT_EQ(unchecked.transfer.state, store::TransferState::Completed);
  EXPECT_EQ(unchecked.records.front().issues, "");
}

// A message that breaks its profile has no bytes and leaves nowhere; when the fault is mended, a new version goes.
TEST(Guard, AnInvalidMessageIsParkedBeforeItHasBytes) {
  GuardWorld world;
  const auto demand = [&](std::vector<std::string> profiles) {
    world.change(
        [&](service::Configuration& configuration) { configuration.legs.at(Role::Provider).profiles = profiles; });
  };
  demand({"http://example.org/signed"});
  const auto parked = world.send();
  EXPECT_EQ(parked.transfer.state, store::TransferState::Parked) << parked.transfer.reasons;
  EXPECT_NE(parked.transfer.reasons.find("message-invalid"), std::string::npos) << parked.transfer.reasons;
  EXPECT_EQ(leg(parked, Role::Provider).state, DeliveryState::Parked);
  EXPECT_EQ(leg(parked, Role::Provider).reason, "message-invalid");
  EXPECT_TRUE(world.sent.empty());
  EXPECT_EQ(world.store.delivery(leg(parked, Role::Provider).id)->body, "");
  const auto* entry = entryOf(parked, "leg-parked");
  ASSERT_NE(entry, nullptr);
  EXPECT_NE(entry->detail.find("cardinality-min"), std::string::npos) << entry->detail;
  EXPECT_EQ(world.counted(R"(lotsen_validated_total{direction="out",kind="referral-transfer",verdict="refused"})"), 1);

  demand({});
  auto again = world.record("own-region", "referral");
  replaceAll(again, "\"version\": 1", "\"version\": 2");
  ASSERT_EQ(world.submit("referral", again).verdict, Verdict::Accepted);
  world.deliver();
  const auto mended = world.view(parked.transfer.id);
  EXPECT_EQ(mended.transfer.state, store::TransferState::Completed) << mended.transfer.reasons;
  EXPECT_EQ(
      std::count_if(world.sent.begin(), world.sent.end(), [](const auto& each) { return each.role == Role::Provider; }),
      1);
  EXPECT_EQ(leg(mended, Role::Provider).reason, "superseded");
}

TEST(Guard, OutgoingFaultsMayBeWarningsOrUnchecked) {
  GuardWorld warning(Lines{{"provider", "validate_out = warn\n"}});
  const auto demand = [](service::Configuration& configuration) {
    configuration.legs.at(Role::Provider).profiles = {"http://example.org/signed"};
  };
  warning.change(demand);
  const auto warned = warning.send();
  EXPECT_EQ(warned.transfer.state, store::TransferState::Completed);
  const auto* entry = entryOf(warned, "validation-warned");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->subject, leg(warned, Role::Provider).id);

  GuardWorld silent(Lines{{"provider", "validate_out = off\n"}});
  silent.change(demand);
  const auto unchecked = silent.send();
  EXPECT_EQ(unchecked.transfer.state, store::TransferState::Completed);
  EXPECT_EQ(entryOf(unchecked, "validation-warned"), nullptr);
}

TEST(Guard, RulesForKindsThatNobodyKnowsAndPackagesThatAreNotThereAreFaults) {
  const auto faultsOf = [](const std::string& section, const std::string& lines) {
    const TempDir folder;
    std::string text = demoConfiguration(folder.path());
    after(text, section + "\n", lines);
    std::ofstream(folder.file("gateway.conf")) << text;
    app::Faults faults;
    EXPECT_FALSE(app::load(folder.file("gateway.conf"), faults));
    std::string told;
    for (const auto& fault : faults.list) told += (fault.line > 0 ? "at a line: " : "") + fault.text + "\n";
    return told;
  };
  EXPECT_EQ(faultsOf("[partner provider]", "validate_in pas/referal = warn\nvalidate_out referral-transfr = off\n"),
            "at a line: pas/referal is neither a channel nor the event of a MessageDefinition that is known here; "
            "did you mean pas/referral?\n"
            "at a line: referral-transfr is neither a letter nor the event of a MessageDefinition that is known here; "
            "did you mean referral-transfer?\n");
  EXPECT_NE(faultsOf("[gateway]", "package = no-such\n").find("at a line: there is no package "), std::string::npos);
}

TEST(Guard, AcknowledgementsAreAKindOfTheirOwn) {
  GuardWorld world;
  auto answer = message(world, "provider", "", 1);
  replaceAll(answer, "\"focus\"",
             R"("response": {"identifier": "0100001a-1111-4111-8111-000000000001", "code": "ok"}, "focus")");
  EXPECT_EQ(world.sendMessage("provider", answer).verdict, Verdict::Accepted);
  EXPECT_EQ(world.counted(R"(lotsen_validated_total{direction="in",kind="acknowledgement",verdict="passed"})"), 1);
}

}  // namespace
}  // namespace lotsen::test
