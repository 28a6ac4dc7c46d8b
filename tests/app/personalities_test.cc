// Partners' habits: the shipped personalities by the rules of their specifications, what a partner's section changes,
// and what is refused. Answers are judged by the classifier of the gateway, with the shipped files.
#include "gateway/app/personalities.h"

#include "gateway/crypto/base64.h"
#include "gateway/service/acknowledgement.h"
#include "gateway/service/reasons.h"
#include "world.h"

namespace lotsen::test {
namespace {

using queue::Outcome;
using service::Personality;

constexpr const char* kMessage = "5c2f9a51-64f0-4e5e-9d0b-0e7b3f6f8a11";
constexpr const char* kBundle = "1f0e6a52-0f7c-4c57-9a9c-2f6e7a1b2c03";
constexpr const char* kTransfer = "0c6d5d6e-93c4-4f0e-8a51-2f4f9d2b1c33";

/// What every partner of personality bars says.
const std::string kBars =
    "personality = bars\n"
    "header NHSD-Target-Identifier = base64 {\"system\":\"urn:dos\",\"value\":\"7\"}\n"
    "header NHSD-End-User-Organisation = base64 {\"resourceType\":\"Organization\"}\n"
    "header NHSD-Requesting-Software = base64 {\"resourceType\":\"Device\"}\n";

void inProvider(std::string& text, const std::string& lines) {
  replaceAll(text, "[partner provider]\n", "[partner provider]\n" + lines);
}

/// The demo's world, whose provider has these lines and does not say by itself whether it is idempotent.
class Habits : public World {
 public:
  explicit Habits(const std::string& lines)
      : World([&](std::string& text, const std::string&) {
          replaceAll(text, "idempotent = yes\n", "");
          inProvider(text, lines);
        }) {}

  const Personality& personality() const { return current->get()->partner("provider")->personality; }

  queue::Verdict judge(int status, std::string body, bool echoes = true) const {
    store::Claimed claimed;
    claimed.delivery.partner = "provider";
    claimed.delivery.messageId = kMessage;
    claimed.delivery.bundleId = kBundle;
    claimed.delivery.transfer = kTransfer;
    queue::Answer answer;
    answer.phase = queue::Phase::Answered;
    answer.status = status;
    answer.body = std::move(body);
    if (echoes) answer.fields = {{"x-request-id", kMessage}, {"X-Correlation-Id", kTransfer}};
    return service::classifyAnswer(*current->get(), claimed, answer);
  }
};

std::string acknowledgement(const std::string& code, const std::string& request = kMessage,
                            const std::string& more = {}) {
  return R"({"resourceType":"Bundle","type":"message","entry":[{"resource":{"resourceType":"MessageHeader","response":)"
         R"({"identifier":")" +
         request + R"(","code":")" + code + R"("}}})" + more + "]}";
}

std::string outcome(const std::string& code, const std::string& issue, const std::string& severity = "error") {
  return R"({"resourceType":"OperationOutcome","issue":[{"severity":")" + severity + R"(","code":")" + issue +
         R"(","details":{"coding":[{"code":")" + code + R"("}]}}]})";
}

struct Row {
  int status;
  std::string body;
  Outcome outcome;
  std::string reason;
};

void check(const Habits& habits, const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    const auto verdict = habits.judge(row.status, row.body);
    EXPECT_EQ(queue::name(verdict.outcome), queue::name(row.outcome)) << row.status << " " << row.body;
    EXPECT_EQ(verdict.reason, row.reason) << row.status << " " << row.body;
  }
}

TEST(Personalities, FhirIsWhatIsBuiltIn) {
  std::string text;
  app::Faults faults;
  const auto known = app::readPersonalities(std::string(LOTSEN_SOURCE_DIR) + "/mappings", text, faults);
  for (const auto& fault : faults.list) ADD_FAILURE() << app::told(fault);
  EXPECT_EQ(known.size(), 4u);
  const Personality built, read = known.at("fhir");
  EXPECT_EQ(read.refusesRepeats, built.refusesRepeats);
  EXPECT_EQ(read.demandsIds, built.demandsIds);
  EXPECT_EQ(read.sentTimeInProvenance, built.sentTimeInProvenance);
  EXPECT_EQ(read.focus, built.focus);
  EXPECT_EQ(read.sizeLimit, built.sizeLimit);
  EXPECT_EQ(read.idempotent, built.idempotent);
  EXPECT_EQ(read.acknowledges, built.acknowledges);
  EXPECT_EQ(read.echoesIds, built.echoesIds);
  EXPECT_EQ(read.resends, built.resends);
  EXPECT_EQ(read.acknowledgeWithin, built.acknowledgeWithin);
  EXPECT_EQ(read.retryFirst, built.retryFirst);
  EXPECT_EQ(read.retryLongest, built.retryLongest);
  for (const auto& [code, meaning] : built.answers) EXPECT_EQ(read.meaning(code), meaning) << code;
}

TEST(Personalities, FhirReadsResponseCodesAndStatuses) {
  const Habits habits("");
  check(habits, {{200, acknowledgement("ok"), Outcome::Done, ""},
                 {200, acknowledgement("transient-error"), Outcome::Retry, "transient-error-acknowledged"},
                 {200, acknowledgement("fatal-error"), Outcome::Park, "fatal-error-acknowledged"},
                 {200, "", Outcome::Awaiting, ""},
                 {202, "", Outcome::Awaiting, ""},
                 {409, outcome("REC_CONFLICT", "duplicate"), Outcome::Conflict, "conflict"},
                 {422, outcome("x", "invalid"), Outcome::Park, "refused-422"},
                 {500, "", Outcome::Ambiguous, "receiver-failed"},
                 {503, "", Outcome::Retry, "receiver-busy"},
                 {299, "", Outcome::Park, "unexpected-status"}});
  EXPECT_EQ(habits.judge(200, "", false).outcome, Outcome::Awaiting) << "nobody has to give our ids back";
}

TEST(Personalities, AnAnswerMayNameOurMessageByAnyOfItsIds) {
  const Habits habits("");
  for (const char* id : {kMessage, kBundle}) {
    EXPECT_EQ(habits.judge(200, acknowledgement("ok", id)).outcome, Outcome::Done) << id;
  }
  const auto other = habits.judge(200, acknowledgement("ok", kTransfer));
  EXPECT_EQ(other.outcome, Outcome::Ambiguous);
  EXPECT_EQ(other.reason, service::reason::kForeignAcknowledgement);
}

TEST(Personalities, AnUnknownCodeGoesToAPerson) {
  const Habits habits("");
  for (const char* code : {"perhaps", "OK"}) {
    const auto verdict = habits.judge(200, acknowledgement(code));
    EXPECT_EQ(verdict.outcome, Outcome::Park);
    EXPECT_EQ(verdict.reason, service::reason::kUnknownAcknowledgement);
  }
}

// The contradiction about AE and AR (rule 24) is the partner's own.
TEST(Personalities, TheDictionaryIsThePartnersOwn) {
  const Habits usual("");
  EXPECT_EQ(usual.judge(200, acknowledgement("AE")).outcome, Outcome::Park);
  EXPECT_EQ(usual.judge(200, acknowledgement("AR")).outcome, Outcome::Retry);
  const Habits swapped("answer AE = retry\nanswer AR = park\nanswer 409 = park\nanswer 404 = ambiguous\n");
  EXPECT_EQ(swapped.judge(200, acknowledgement("AE")).outcome, Outcome::Retry);
  EXPECT_EQ(swapped.judge(200, acknowledgement("AR")).outcome, Outcome::Park);
  EXPECT_EQ(swapped.judge(409, "").outcome, Outcome::Park);
  EXPECT_EQ(swapped.judge(404, "").outcome, Outcome::Ambiguous);
  EXPECT_EQ(swapped.judge(200, acknowledgement("fatal-error")).outcome, Outcome::Park) << "the rest stays";
}

TEST(Personalities, MedcomFollowsItsAcknowledgementRules) {
  const Habits habits("personality = medcom\n");
  const auto withError = [](const std::string& code) { return R"(,{"resource":)" + outcome(code, "processing") + "}"; };
  check(habits, {{200, acknowledgement("ok"), Outcome::Done, ""},
                 {200, acknowledgement("ok", kMessage, withError("Element_To_Long")), Outcome::Done, ""},
                 {200, acknowledgement("fatal-error"), Outcome::Park, "fatal-error-acknowledged"},
                 {200, acknowledgement("fatal-error", kMessage, withError("Mailbox_Out_Of_Operation")), Outcome::Retry,
                  "transient-error-acknowledged"},
                 {200, acknowledgement("AE"), Outcome::Park, "fatal-error-acknowledged"},
                 {200, acknowledgement("AR"), Outcome::Retry, "transient-error-acknowledged"},
                 {200, "", Outcome::Awaiting, ""}});
  EXPECT_EQ(habits.personality().resends, 2u);
  EXPECT_EQ(habits.personality().resendWithin, std::chrono::minutes(30));
  EXPECT_EQ(habits.personality().acknowledgeWithin, std::chrono::minutes(30));
  EXPECT_TRUE(habits.personality().idempotent);
  EXPECT_TRUE(habits.personality().sentTimeInProvenance);
  EXPECT_EQ(habits.personality().sizeLimit, std::size_t{100} << 20);
}

TEST(Personalities, BarsFollowsItsErrorHandling) {
  const Habits habits(kBars);
  check(habits, {{200, "", Outcome::Done, ""},
                 {409, outcome("REC_CONFLICT", "duplicate"), Outcome::Done, ""},
                 {409, outcome("REC_CONFLICT", "conflict"), Outcome::Park, "conflict"},
                 {409, outcome("REC_CONFLICT", "duplicate", "warning"), Outcome::Park, "conflict"},
                 {408, outcome("REC_TIMEOUT", "timeout"), Outcome::Retry, "receiver-timeout"},
                 {429, outcome("REC_TOO_MANY_REQUESTS", "throttled"), Outcome::Retry, "receiver-busy"},
                 {429, outcome("SEND_TOO_MANY_REQUESTS", "throttled"), Outcome::Retry, "receiver-busy"},
                 {503, outcome("REC_UNAVAILABLE", "transient"), Outcome::Retry, "receiver-busy"},
                 {504, outcome("PROXY_TIMEOUT", "timeout"), Outcome::Ambiguous, "proxy-failed"},
                 {403, outcome("SEND_FORBIDDEN", "forbidden"), Outcome::PauseEndpoint, "credentials-refused"},
                 {400, outcome("REC_BAD_REQUEST", "invalid"), Outcome::Park, "refused-400"},
                 {422, outcome("REC_UNPROCESSABLE_ENTITY", "not-supported"), Outcome::Park, "refused-422"},
                 {500, outcome("REC_SERVER_ERROR", "exception"), Outcome::Ambiguous, "receiver-failed"}});
}

// Rule 30: no ids back, or no OperationOutcome: an intermediary spoke.
TEST(Personalities, BarsTakesAnAnswerWithoutItsMarksForAnIntermediarys) {
  const Habits habits(kBars);
  const auto intermediary = service::reason::kIntermediaryAnswered;
  EXPECT_EQ(habits.judge(200, "", false).reason, intermediary);
  EXPECT_EQ(habits.judge(200, "", false).outcome, Outcome::Ambiguous);
  EXPECT_EQ(habits.judge(400, outcome("REC_BAD_REQUEST", "invalid"), false).reason, intermediary);
  EXPECT_EQ(habits.judge(404, "<html>not here</html>").reason, intermediary);
  EXPECT_EQ(habits.judge(404, "").parkAfter, 5u) << "not for ever";
  EXPECT_EQ(habits.judge(503, "", false).outcome, Outcome::Retry) << "a proxy may be busy too";
  EXPECT_EQ(habits.judge(403, "", false).outcome, Outcome::PauseEndpoint);
}

TEST(Personalities, BarsSendsItsHeaders) {
  const Habits habits(kBars + "header Accept = application/fhir+json; version=1.2.0\n");
  std::map<std::string, std::string> fields(habits.personality().fields.begin(), habits.personality().fields.end());
  EXPECT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields["Accept"], "application/fhir+json; version=1.2.0") << "the partner's own, once";
  EXPECT_EQ(*crypto::base64Decode(fields["NHSD-Target-Identifier"]), R"({"system":"urn:dos","value":"7"})");
}

TEST(Personalities, BserWantsATask) {
  const Habits habits("personality = bser\n");
  EXPECT_EQ(habits.personality().focus, "Task");
  check(habits, {{200, acknowledgement("ok"), Outcome::Done, ""}, {202, "", Outcome::Awaiting, ""}});
}

TEST(Personalities, OurMessagesHaveTheFocusThatTheReceiverReads) {
  const std::pair<std::string, std::string_view> kWanted[] = {
      {"personality = fhir\n", "Task"}, {"personality = bser\n", "Task"}, {kBars, "ServiceRequest"}};
  for (const auto& [lines, wanted] : kWanted) {
    Habits world(lines);
    for (const char* kind : {"referral", "consent", "btf"})
      EXPECT_EQ(world.submit(kind, world.record("own-region", kind), kind).verdict, service::Verdict::Accepted);
    world.deliver();
    fhir::Issues issues;
    const auto sent = fhir::readJson(world.bodies[store::Role::Provider], fhir::Schema::r4(), {}, issues);
    ASSERT_TRUE(sent.ok()) << lines;
    const auto* header = fhir::firstResource(*sent, sent->root(), "MessageHeader");
    const auto* focus = fhir::child(*sent, header, "focus");
    const auto* found = fhir::resolve(*sent, focus, fhir::valueAt(*sent, focus, "reference"));
    ASSERT_NE(found, nullptr) << lines;
    EXPECT_EQ(found->type, sent->schema().findType(wanted)) << lines;
  }
}

TEST(Personalities, EveryKeyMayBeThePartnersOwn) {
  const Habits habits(
      "personality = medcom\nduplicate = conflict\ndemands_ids = yes\nsent_time = bundle\nfocus = ServiceRequest\n"
      "message_limit_mb = 3\nerror_system = urn:codes\nerror 409 = TWICE\nidempotent = no\nacknowledges = no\n"
      "acknowledge_within = 2h\nechoes_ids = yes\nresends = 3\nresend_within = 1h\nretry_first = 1s\n"
      "retry_longest = 2s\nanswer maybe = retry\nheader X-Own = here\nneeds_header = X-Own\n");
  const Personality& own = habits.personality();
  EXPECT_TRUE(own.refusesRepeats && own.demandsIds && own.echoesIds);
  EXPECT_FALSE(own.sentTimeInProvenance || own.idempotent || own.acknowledges);
  EXPECT_EQ(own.focus, "ServiceRequest");
  EXPECT_EQ(own.sizeLimit, std::size_t{3} << 20);
  EXPECT_EQ(own.errorSystem, "urn:codes");
  EXPECT_EQ(own.errors.at(409), "TWICE");
  EXPECT_EQ(own.resends, 3u);
  EXPECT_EQ(own.resendWithin, std::chrono::hours(1));
  EXPECT_EQ(own.acknowledgeWithin, std::chrono::hours(2));
  EXPECT_EQ(own.retryFirst, std::chrono::seconds(1));
  EXPECT_EQ(own.retryLongest, std::chrono::seconds(2));
  EXPECT_EQ(own.meaning("maybe"), Outcome::Retry);
  EXPECT_EQ(Habits("personality = medcom\nresends = unlimited\nfocus = any\n").personality().resends, std::nullopt);
}

TEST(Personalities, FaultsAreToldWithFileAndLine) {
  const std::pair<const char*, const char*> wrong[] = {
      {"personality = bers", "personality must be one of: bars, bser, fhir, medcom"},
      {"duplicate = sometimes", "duplicate must be one of: replay, conflict"},
      {"answer AE = shrug", "answer must be one of: done, retry, ambiguous, pause-endpoint, park"},
      {"answer = retry", "answer needs a code"},
      {"answers AE = retry", "unknown key answers AE"},
      {"error 200 = FINE", "an HTTP status from 400 to 599"},
      {"focus = Tusk", "focus must be any, or a resource type"},
      {"resends = some", "resends must be a whole number"},
      {"header X-Request-Id = mine", "the gateway sets this one itself"},
      {"header Two Words = x", "is no HTTP header field"},
      {"personality = bars", "needs header NHSD-Target-Identifier"},
      {"message_limit_mb = 101", "message_limit_mb must be a whole number"},
  };
  for (const auto& [line, told] : wrong) {
    TempDir folder;
    std::string text = demoConfiguration(folder.path());
    inProvider(text, std::string(line) + "\n");
    std::ofstream(folder.path() + "/gateway.conf") << text;
    app::Faults faults;
    EXPECT_FALSE(app::load(folder.path() + "/gateway.conf", faults)) << line;
    bool found = false;
    for (const auto& fault : faults.list) {
      found = found || (fault.text.find(told) != std::string::npos && fault.line > 0 && !fault.file.empty());
    }
    EXPECT_TRUE(found) << line << (faults.any() ? ": " + app::told(faults.list[0]) : "");
  }
}

TEST(Personalities, AFaultInAShippedFileIsToldThere) {
  TempDir folder;
  std::filesystem::create_directories(folder.path() + "/personalities");
  std::ofstream(folder.path() + "/personalities/own.conf") << "[personality own]\n\nduplicates = replay\n";
  std::ofstream(folder.path() + "/personalities/two.conf") << "[personality three]\n";
  std::string text;
  app::Faults faults;
  app::readPersonalities(folder.path(), text, faults);
  ASSERT_EQ(faults.list.size(), 2u);
  EXPECT_EQ(faults.list[0].line, 3);
  EXPECT_NE(faults.list[0].text.find("unknown key duplicates"), std::string::npos);
  EXPECT_NE(faults.list[1].text.find("only [personality two]"), std::string::npos);
}

}  // namespace
}  // namespace lotsen::test
