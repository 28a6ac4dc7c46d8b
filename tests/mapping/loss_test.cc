// The loss account: which leaf is mapped, by whom; what is dropped; what is left.
#include "fixture.h"

namespace lotsen::mapping {
namespace {

using Texts = std::vector<std::string>;

/// The account of one run, one leaf a line: "mapped Visit.text by text", "dropped Visit.code: reason", "lost
/// Visit.day".
Texts accountOf(const std::string& rules, const std::string& record, const std::string& drops = "",
                const std::string& more = "") {
  const auto schema = visitSchema();
  fhir::Issues issues;
  const auto library = Library::compile({{"t.map", mapOf("Patient", rules, more)}}, schema, issues);
  if (!library.ok()) return {allIssues(issues)};
  fhir::ReadOptions read;
  read.type = library->sourceType();
  const auto source = fhir::readJson(record, schema, read, issues);
  const auto list = DropList::parse("t.drop", drops, *schema, library->sourceType(), issues);
  if (!source.ok() || !list.ok()) return {allIssues(issues)};
  Trace trace;
  RunOptions options;
  options.trace = &trace;
  if (!transform(*library, *source, options, issues).ok()) return {allIssues(issues)};
  const LossAccount account = lossAccount(*source, *list, trace);
  Texts told;
  for (const auto& leaf : account.mapped) {
    std::string by;
    for (const std::size_t rule : leaf.rules) by += (by.empty() ? "" : ", ") + trace.rules[rule].name;
    told.push_back("mapped " + leaf.path + " by " + by);
  }
  for (const auto& leaf : account.dropped)
    told.push_back("dropped " + leaf.path + ": " + list->entries()[leaf.drop].reason);
  for (const auto& leaf : account.unaccounted) told.push_back("lost " + leaf.path);
  // The same without a trace and without the whole account, as the service asks.
  Texts lost;
  for (const auto& leaf : unaccounted(*source, *list)) lost.push_back(leaf.path);
  Texts again;
  for (const auto& leaf : account.unaccounted) again.push_back(leaf.path);
  EXPECT_EQ(lost, again);
  return told;
}

std::string faultsOf(const std::string& drops) {
  fhir::Issues issues;
  const auto schema = visitSchema();
  const auto list = DropList::parse("t.drop", drops, *schema,
                                    schema->findType("http://example.org/StructureDefinition/Visit"), issues);
  EXPECT_EQ(list.ok(), issues.empty());
  return allIssues(issues);
}

TEST(Loss, tellsByWhichRule) {
  EXPECT_EQ(accountOf("src.text as t -> tgt.language = t;\nsrc.identifier -> tgt.identifier;",
                      R"({"text":"sv","code":"y","identifier":[{"value":"1"}]})"),
            (Texts{"mapped Visit.text by text", "mapped Visit.identifier[0].value by identifier", "lost Visit.code"}));
}

TEST(Loss, aRuleThatDidNotFireMapsNothing) {
  EXPECT_EQ(accountOf("src.code as c where c = 'x' -> tgt.gender = 'male' \"x\"; src.code as c where c = 'y' -> "
                      "tgt.gender = 'female' \"y\";",
                      R"({"code":"y"})"),
            (Texts{"mapped Visit.code by y"}));
  EXPECT_EQ(accountOf("src.code as c where c = 'x' -> tgt.gender = 'male';", R"({"code":"z"})"),
            (Texts{"lost Visit.code"}));
  EXPECT_EQ(accountOf("src.tag first as t -> tgt.language = t;", R"({"tag":["a","b"]})"),
            (Texts{"mapped Visit.tag[0] by tag", "lost Visit.tag[1]"}));
}

// A condition decides; nothing of what it reads is carried on.
TEST(Loss, whatOnlyAConditionACheckOrALogReadIsLost) {
  EXPECT_EQ(accountOf("src where flag = true -> tgt.gender = 'male' \"w\";", R"({"flag":true})"),
            (Texts{"lost Visit.flag"}));
  EXPECT_EQ(accountOf("src.text as t where %src.flag -> tgt.language = t;", R"({"text":"sv","flag":true})"),
            (Texts{"mapped Visit.text by text", "lost Visit.flag"}));
  EXPECT_EQ(accountOf("src.text as t check %src.flag log (%src.code) -> tgt.language = t;",
                      R"({"text":"sv","flag":true,"code":"c"})"),
            (Texts{"mapped Visit.text by text", "lost Visit.flag", "lost Visit.code"}));
}

TEST(Loss, aRuleThatWritesNothingMapsNothing) {
  EXPECT_EQ(accountOf("src.text as t;", R"({"text":"sv"})"), (Texts{"lost Visit.text"}));
  EXPECT_EQ(accountOf("src.text as t then { t where $this = 'en' -> tgt.language = t \"en\"; };", R"({"text":"sv"})"),
            (Texts{"lost Visit.text"}));
  // An empty element goes when the run is over.
  EXPECT_EQ(accountOf("src.text as t -> tgt.contact as c;", R"({"text":"sv"})"), (Texts{"lost Visit.text"}));
  // A code without translation writes nothing.
  const std::string table = "conceptmap \"#g\" { prefix s = \"urn:s\" prefix t = \"urn:t\" s:m == t:male }\n";
  EXPECT_EQ(accountOf("src.code as c -> tgt.gender = translate(c, '#g', 'code');", R"({"code":"q"})", "", table),
            (Texts{"lost Visit.code"}));
  EXPECT_EQ(accountOf("src.code as c -> tgt.gender = translate(c, '#g', 'code');", R"({"code":"m"})", "", table),
            (Texts{"mapped Visit.code by code"}));
}

TEST(Loss, argumentsAndExpressionsCountWhenTheirValueIsWritten) {
  EXPECT_EQ(accountOf("src -> tgt.language = (text & code) \"e\";", R"({"text":"sv","code":"c"})"),
            (Texts{"mapped Visit.text by e", "mapped Visit.code by e"}));
  EXPECT_EQ(accountOf("src -> tgt.language = (iif(flag, text, {})) \"e\";", R"({"text":"sv","flag":false})"),
            (Texts{"lost Visit.text", "lost Visit.flag"}));
  EXPECT_EQ(accountOf("src -> tgt.active = (text.exists()) \"e\";", R"({"text":"sv"})"), (Texts{"lost Visit.text"}));
  EXPECT_EQ(accountOf("src -> append(src.text, 'x') as v then { src -> tgt.language = v \"use\"; } \"bind\";",
                      R"({"text":"sv"})"),
            (Texts{"mapped Visit.text by bind"}));
  EXPECT_EQ(accountOf("src -> append(src.text, 'x') as v \"bind\";", R"({"text":"sv"})"), (Texts{"lost Visit.text"}));
  EXPECT_EQ(accountOf("src.code default (%src.text) as c -> tgt.language = c;", R"({"text":"sv"})"),
            (Texts{"mapped Visit.text by code"}));
}

TEST(Loss, aGroupsRulesAnswerForWhatItIsGiven) {
  const std::string body =
      "src.name as n -> tgt.name as m then Name(n, m) \"call\";\n}\ngroup Name(source s, target t) {\n"
      "s.family as f -> t.family = f;\n";
  EXPECT_EQ(accountOf(body, R"({"name":[{"family":"F","given":["G"]}]})"),
            (Texts{"mapped Visit.name[0].family by family", "lost Visit.name[0].given[0]"}));
}

TEST(Loss, everyLeafInOrder) {
  EXPECT_EQ(
      accountOf(
          "src.name first as n -> tgt.name as m, m.family = n.family; src.tag as t where t = 'a' -> tgt.active = true;"
          "src.identifier first -> tgt.identifier;",
          R"({"text":"t","name":[{"family":"F","given":["g"]},{"family":"H"}],"tag":["a","b"],"identifier":[{"system":"s","value":"v"},{"value":"w"}]})"),
      (Texts{"mapped Visit.name[0].family by name", "mapped Visit.tag[0] by tag",
             "mapped Visit.identifier[0].system by identifier", "mapped Visit.identifier[0].value by identifier",
             "lost Visit.text", "lost Visit.name[0].given[0]", "lost Visit.name[1].family", "lost Visit.tag[1]",
             "lost Visit.identifier[1].value"}));
}

TEST(Drops, takeAPathAndAllInsideIt) {
  EXPECT_EQ(accountOf("src.text as t -> tgt.language = t;",
                      R"({"text":"sv","code":"c","name":[{"family":"F","given":["g"]},{"family":"H"}]})",
                      "# what we leave\nVisit.name | nobody asks\n Visit.text|mapped all the same\n"),
            (Texts{"mapped Visit.text by text", "dropped Visit.name[0].family: nobody asks",
                   "dropped Visit.name[0].given[0]: nobody asks", "dropped Visit.name[1].family: nobody asks",
                   "lost Visit.code"}));
}

TEST(Drops, knowChoices) {
  const std::string record = R"({"valueString":"v"})";
  EXPECT_EQ(accountOf("", record, "Visit.value | why"), (Texts{"dropped Visit.value.ofType(string): why"}));
  EXPECT_EQ(accountOf("", record, "Visit.valueString | why"), (Texts{"dropped Visit.value.ofType(string): why"}));
  EXPECT_EQ(accountOf("", record, "Visit.valueBoolean | why"), (Texts{"lost Visit.value.ofType(string)"}));
  EXPECT_EQ(accountOf("", R"({"quantity":{"value":1,"unit":"g"}})", "Visit.quantity.unit | why"),
            (Texts{"dropped Visit.quantity.unit: why", "lost Visit.quantity.value"}));
}

TEST(Drops, faultsAreToldWithTheirPlace) {
  EXPECT_EQ(faultsOf("Visit.text | fine"), "");
  EXPECT_EQ(faultsOf("Visit.text"), "error: t.drop:1:1: a dropped path needs a reason: Model.path | reason\n");
  EXPECT_EQ(faultsOf("Visit.text | "), "error: t.drop:1:1: a dropped path needs a reason: Model.path | reason\n");
  EXPECT_EQ(faultsOf("\n  Visit.name.famly | x"),
            "error: t.drop:2:14: 'Visit.name' has no element 'famly'; did you mean 'family'?\n");
  EXPECT_EQ(faultsOf("Patient.name | x"), "error: t.drop:1:1: the map's source is 'Visit', not 'Patient'\n");
  EXPECT_EQ(faultsOf("Visit | x"), "error: t.drop:1:1: a whole record cannot be dropped\n");
  EXPECT_EQ(faultsOf("Visit.name|x\nVisit.name.family|y"),
            "error: t.drop:2:1: 'Visit.name.family' is dropped already by line 1\n");
  EXPECT_EQ(faultsOf("Visit.name.family|x\nVisit.name|y"),
            "error: t.drop:2:1: other lines drop parts of 'Visit.name': keep this one or those\n");
}

TEST(Drops, standBesideTheEntryMap) {
  EXPECT_EQ(dropFileOf("pas/referral.map"), "pas/referral.drop");
  EXPECT_EQ(dropFileOf("v1.2/referral"), "v1.2/referral.drop");
}

}  // namespace
}  // namespace lotsen::mapping
