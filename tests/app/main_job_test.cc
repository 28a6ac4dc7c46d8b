// The main job from record to receipt, in one process: arrival orders, routes, gates, withdrawal, letters.
#include "tests/app/world.h"

#include <algorithm>
#include <set>

namespace lotsen::test {
namespace {

using store::DeliveryState;
using store::Role;
using store::TransferState;

std::map<Role, DeliveryState> legs(const store::TransferView& view) {
  std::map<Role, DeliveryState> found;
  for (const auto& delivery : view.deliveries) found[delivery.role] = delivery.state;
  return found;
}

std::string told(const store::TransferView& view) {
  std::string text(store::name(view.transfer.state));
  text += " " + view.transfer.reasons;
  for (const auto& delivery : view.deliveries)
    text += "\n  " + std::string(store::name(delivery.role)) + " " + std::string(store::name(delivery.state)) + " " +
            delivery.reason;
  for (const auto& record : view.records)
    text += "\n  " + std::string(store::name(record.kind)) + " " + std::string(store::name(record.state)) + " " +
            record.reason + " " + record.issues;
  for (const auto& entry : view.timeline) text += "\n  " + entry.action + " " + entry.detail;
  return text;
}

bool hasReason(const store::TransferView& view, const std::string& code) {
  return view.transfer.reasons.find("\"" + code + "\"") != std::string::npos;
}

store::Id submitted(World& world, const std::string& name, const std::string& kind) {
  const auto reception = world.submit(kind, world.record(name, kind));
  EXPECT_EQ(reception.verdict, service::Verdict::Accepted);
  for (const auto& issue : reception.issues.list()) {
    if (issue.severity != fhir::Severity::Warning) ADD_FAILURE() << issue.text << " " << issue.expression;
  }
  return reception.accepted.transfer;
}

TEST(MainJob, AllSixArrivalOrdersEndTheSame) {
  std::vector<std::string> order = {"btf", "consent", "referral"};
  do {
    World world;
    store::Id transfer;
    for (std::size_t i = 0; i < order.size(); ++i) {
      transfer = submitted(world, "own-region", order[i]);
      world.deliver();
      if (i + 1 < order.size()) {
        EXPECT_TRUE(world.sent.empty());
        EXPECT_EQ(world.view(transfer).transfer.state, TransferState::Waiting) << told(world.view(transfer));
      }
    }
    const auto view = world.view(transfer);
    EXPECT_EQ(view.transfer.state, TransferState::Completed) << told(view);
    EXPECT_EQ(legs(view).size(), 5U) << told(view);
    EXPECT_EQ(world.sent.size(), 5U);
    EXPECT_EQ(world.sent.front().role, Role::Provider);
    EXPECT_TRUE(world.store.verifyAudit().ok());
    EXPECT_EQ(world.bodies[Role::PatientLetter].substr(0, 5), "%PDF-");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(MainJob, AnotherRegionsAgreementSendsTheOriginalToItsMediator) {
  World world;
  store::Id transfer;
  for (const char* kind : {"referral", "consent", "btf"}) transfer = submitted(world, "other-region", kind);
  world.deliver();
  const auto view = world.view(transfer);
  ASSERT_EQ(view.transfer.state, TransferState::Completed) << told(view);
  EXPECT_EQ(legs(view).count(Role::Mediator), 1U);
  EXPECT_EQ(world.bodies[Role::Mediator].find("demo-doc-3"), std::string::npos)
      << "the mediator must not get the medical documents";
  EXPECT_NE(world.bodies[Role::Mediator].find("#betfor#1-original"), std::string::npos)
      << "the mediator gets the signed BTF";
  EXPECT_NE(world.bodies[Role::Provider].find("demo-doc-3"), std::string::npos);
  EXPECT_NE(world.bodies[Role::Provider].find("ServiceRequest"), std::string::npos);
}

TEST(MainJob, InternalTransferNeedsNeitherBtfNorConsent) {
  World world;
  const auto transfer = submitted(world, "internal", "referral");
  world.deliver();
  const auto view = world.view(transfer);
  EXPECT_EQ(view.transfer.state, TransferState::Completed) << told(view);
}

TEST(MainJob, LettersWaitForTheProvidersAcknowledgement) {
  World world;
  store::Id transfer;
  for (const char* kind : {"referral", "consent", "btf"}) transfer = submitted(world, "own-region", kind);
  world.deliver({{Role::Provider, DeliveryState::Awaiting}});
  const auto view = world.view(transfer);
  EXPECT_EQ(legs(view)[Role::PatientLetter], DeliveryState::Held) << told(view);
  EXPECT_EQ(legs(view)[Role::Pas], DeliveryState::Held);
  EXPECT_EQ(world.sent.size(), 1U);
}

TEST(MainJob, WithdrawalBeforeSendingStopsEverything) {
  World world;
  store::Id transfer;
  for (const char* kind : {"referral", "consent", "btf"}) transfer = submitted(world, "own-region", kind);
  world.think();  // released, not yet claimed
  auto withdrawal = world.record("own-region", "consent");
  replaceAll(withdrawal, "\"version\": 1", "\"version\": 2");
  replaceAll(withdrawal, "\"granted_explicit\"", "\"withdrawn\"");
  ASSERT_EQ(world.submit("consent", withdrawal).verdict, service::Verdict::Accepted);
  // Accepted, not yet understood: the release is void all the same.
  const auto claimed =
      world.store.claim(world.owner, "provider", 8, world.clock.now(), world.clock.now() + std::chrono::minutes(1));
  ASSERT_TRUE(claimed.ok());
  EXPECT_TRUE(claimed->empty());
  world.deliver();
  const auto view = world.view(transfer);
  EXPECT_EQ(view.transfer.state, TransferState::Withdrawn) << told(view);
  EXPECT_TRUE(world.sent.empty());
  for (const auto& [role, state] : legs(view)) EXPECT_EQ(state, DeliveryState::Cancelled) << store::name(role);
  EXPECT_TRUE(hasReason(view, "consent-withdrawn"));
}

TEST(MainJob, WithdrawalAfterSendingRecalls) {
  World world;
  store::Id transfer;
  for (const char* kind : {"referral", "consent", "btf"}) transfer = submitted(world, "own-region", kind);
  world.deliver();
  auto withdrawal = world.record("own-region", "consent");
  replaceAll(withdrawal, "\"version\": 1", "\"version\": 2");
  replaceAll(withdrawal, "\"granted_explicit\"", "\"withdrawn\"");
  ASSERT_EQ(world.submit("consent", withdrawal).verdict, service::Verdict::Accepted);
  world.deliver();
  const auto view = world.view(transfer);
  EXPECT_EQ(view.transfer.state, TransferState::Withdrawn) << told(view);
  ASSERT_EQ(legs(view).count(Role::Recall), 1U) << told(view);
  EXPECT_EQ(legs(view)[Role::Recall], DeliveryState::Done);
  const auto provider = std::find_if(view.deliveries.begin(), view.deliveries.end(),
                                     [](const auto& each) { return each.role == Role::Provider; });
  EXPECT_NE(world.bodies[Role::Recall].find(provider->messageId), std::string::npos) << "the recall names the message";
}

TEST(MainJob, WithdrawalWhileNobodyKnowsWhetherItArrivedCancelsAndRecalls) {
  World world;
  store::Id transfer;
  for (const char* kind : {"referral", "consent", "btf"}) transfer = submitted(world, "own-region", kind);
  world.deliver({{Role::Provider, DeliveryState::Awaiting}});
  auto withdrawal = world.record("own-region", "consent");
  replaceAll(withdrawal, "\"version\": 1", "\"version\": 2");
  replaceAll(withdrawal, "\"granted_explicit\"", "\"withdrawn\"");
  ASSERT_EQ(world.submit("consent", withdrawal).verdict, service::Verdict::Accepted);
  world.deliver();
  const auto view = world.view(transfer);
  EXPECT_EQ(legs(view)[Role::Provider], DeliveryState::Cancelled) << told(view);
  EXPECT_EQ(legs(view)[Role::Recall], DeliveryState::Done) << told(view);
  EXPECT_EQ(legs(view)[Role::PatientLetter], DeliveryState::Cancelled);
  EXPECT_EQ(legs(view)[Role::Receipt], DeliveryState::Done)
      << "what was handed out is still told to the source: " << told(view);
  EXPECT_NE(world.bodies[Role::Receipt].find("SE5565594230-A001"), std::string::npos);
}

TEST(MainJob, ShutGatesHoldWithNamedReasonsAndTheRightRecordOpensThem) {
  World world;
  const auto transfer = submitted(world, "own-region", "referral");
  world.deliver();
  EXPECT_TRUE(hasReason(world.view(transfer), "consent-missing"));
  EXPECT_TRUE(hasReason(world.view(transfer), "btf-missing"));
  auto other = world.record("own-region", "consent");
  replaceAll(other, "SE5565594230-A001", "SE5565594230-Z999");
  ASSERT_EQ(world.submit("consent", other).verdict, service::Verdict::Accepted);
  submitted(world, "own-region", "btf");
  world.deliver();
  EXPECT_TRUE(hasReason(world.view(transfer), "consent-other-receiver")) << told(world.view(transfer));
  EXPECT_TRUE(world.sent.empty());
  auto right = world.record("own-region", "consent");
  replaceAll(right, "\"version\": 1", "\"version\": 2");
  ASSERT_EQ(world.submit("consent", right).verdict, service::Verdict::Accepted);
  world.deliver();
  EXPECT_EQ(world.view(transfer).transfer.state, TransferState::Completed) << told(world.view(transfer));
}

TEST(MainJob, ARepeatGetsTheStoredAnswerAndOtherContentAConflict) {
  World world;
  const auto body = world.record("own-region", "referral");
  const auto first = world.submit("referral", body, "key-1");
  const auto again = world.submit("referral", body, "key-1");
  EXPECT_TRUE(again.accepted.isRepeat());
  EXPECT_EQ(again.accepted.answerBody, first.accepted.answerBody);
  auto changed = body;
  replaceAll(changed, "Arbets-EKG", "Arbetsprov");
  EXPECT_EQ(world.submit("referral", changed, "key-1").verdict, service::Verdict::Conflict);
}

TEST(MainJob, IdsOfMessagesAreMadeOnceAndNoBodyGoesWithoutThem) {
  World world;
  for (const char* kind : {"referral", "consent", "btf"}) submitted(world, "own-region", kind);
  world.deliver();
  std::set<std::string> ids;
  for (const auto& delivery : world.sent) {
    EXPECT_TRUE(ids.insert(delivery.messageId).second);
    if (delivery.role == Role::PatientLetter || delivery.role == Role::ClinicianLetter) continue;
    EXPECT_NE(delivery.body.find("\"id\":\"" + delivery.messageId + "\""), std::string::npos)
        << store::name(delivery.role);
    EXPECT_NE(delivery.body.find("urn:uuid:" + delivery.messageId), std::string::npos) << store::name(delivery.role);
  }
}

}  // namespace
}  // namespace lotsen::test
