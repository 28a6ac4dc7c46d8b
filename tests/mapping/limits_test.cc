// Nothing that a map or a record says makes the engine run away: each bound, and what is said where it is met.
#include "tests/mapping/fixture.h"

#include <sys/resource.h>

namespace lotsen::mapping {
namespace {

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string joined(const std::string& text, int times, const std::string& between) {
  std::string out = text;
  for (int i = 1; i < times; ++i) out += between + text;
  return out;
}

/// Of the run with these bounds: the issues; the document must not be there.
std::string stopped(const std::string& map, const std::string& source, RunOptions options = {}) {
  const Outcome outcome = runMaps({{"t.map", map}}, source, visitSchema(), options);
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.json, "");
  return outcome.issues;
}

RunOptions bytes(std::size_t most) {
  RunOptions options;
  options.maxBytes = most;
  return options;
}

RunOptions steps(std::uint64_t most) {
  RunOptions options;
  options.maxSteps = most;
  return options;
}

const char* const kTooLarge = "the result is larger than 1024 KiB; look for a rule that copies what it has made";
const char* const kTooDeep = "elements stand more than 256 deep in each other";
const char* const kTooLong = "steps; look for a rule that visits the same items again and again";

TEST(RunLimits, ATextThatDoublesIsStopped) {
  std::string rules = "src.text as t -> append(t, t) as a0";
  for (int i = 0; i < 60; ++i) {
    const std::string from = "a" + std::to_string(i);
    rules += ", append(" + from + ", " + from + ") as a" + std::to_string(i + 1);
  }
  EXPECT_NE(
      stopped(mapOf("Patient", rules + ", tgt.language = a60;"), R"({"text":"abc"})", bytes(1u << 20)).find(kTooLarge),
      std::string::npos);
  const std::string nested = "src.text as t -> append(t, t) as a then { " +
                             repeat("src -> append(a, a) as a then { ", 60) + "src -> tgt.language = a;" +
                             repeat(" };", 60) + " };";
  EXPECT_NE(stopped(mapOf("Patient", nested), R"({"text":"abc"})", bytes(1u << 20)).find(kTooLarge), std::string::npos);
  EXPECT_NE(stopped(mapOf("Patient", "src.text as t -> tgt.language = escape(t, 'xml');"),
                    R"({"text":")" + repeat("<", 200'000) + "\"}", bytes(1u << 20))
                .find(kTooLarge),
            std::string::npos);
}

TEST(RunLimits, AStructureThatIsCopiedIntoItselfIsStopped) {
  const std::string source = R"({"tag":[)" + joined("\"x\"", 40, ",") + "]}";
  const std::string wide = mapOf("Bundle", "src.tag as t -> tgt.entry as e, e.id = t, e.resource = tgt;");
  EXPECT_NE(stopped(wide, source, bytes(1u << 20)).find(kTooLarge), std::string::npos);
  const std::string many = mapOf("Bundle", "src.tag as a, src.tag as b, src.tag as c -> tgt.entry as e, e.id = a;");
  EXPECT_NE(stopped(many, source, bytes(1u << 20)).find(kTooLarge), std::string::npos);
}

TEST(RunLimits, GroupsThatCallThemselvesAreStopped) {
  const std::string same = mapOf("Patient", "src -> tgt then H(src, tgt);") +
                           "group H(source s : Visit, target t : T) { s -> t then H(s, t); }\n";
  EXPECT_NE(stopped(same, "{}").find("groups call each other more than 200 deep"), std::string::npos);
  const std::string deeper = mapOf("QuestionnaireResponse", "src -> tgt.item as i then H(src, i);") +
                             "group H(source s : Visit, target t) { s -> t.item as i, i.item as j then H(s, j); }\n";
  EXPECT_NE(stopped(deeper, "{}").find(kTooDeep), std::string::npos) << stopped(deeper, "{}");
  const std::string path = mapOf("QuestionnaireResponse", "src -> tgt.item as i then H(src, i);") +
                           "group H(source s : Visit, target t) { s -> t" + repeat(".item", 30) +
                           " as i then H(s, i); }\n";
  EXPECT_NE(stopped(path, "{}").find(kTooDeep), std::string::npos);
}

TEST(RunLimits, WorkIsBoundedWhereverItIsDone) {
  const std::string tags = R"({"tag":[)" + joined("\"x\"", 60, ",") + "]}";
  EXPECT_NE(stopped(mapOf("Patient", joined("src.tag as a", 8, ", ") + " -> tgt.id = 'x';"), tags).find(kTooLong),
            std::string::npos);
  EXPECT_NE(stopped(mapOf("Patient", "src.tag as a, src.tag as b where false -> tgt.id = 'x';"), tags, steps(500))
                .find("500 steps"),
            std::string::npos);
  EXPECT_NE(stopped(mapOf("Patient", "src.tag as a where %src.tag.count() > 1 -> tgt.id = 'x';"), tags, steps(200))
                .find("steps"),
            std::string::npos)
      << "each expression is small, all of them are not";
  EXPECT_NE(
      stopped(mapOf("Patient", "src -> tgt.name as n last, n.text = 'z'; src.tag as a -> tgt.name as n, n.text = a;"),
              tags, steps(300))
          .find("300 steps"),
      std::string::npos)
      << "each name moves the last one";
}

TEST(RunLimits, MemoryStaysBelowWhatAProcessMayUse) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  std::string rules = "src.text as t -> append(t, t) as a0";
  for (int i = 0; i < 60; ++i) {
    const std::string from = "a" + std::to_string(i);
    rules += ", append(" + from + ", " + from + ") as a" + std::to_string(i + 1);
  }
  stopped(mapOf("Patient", rules + ", tgt.language = a60;"), R"({"text":"abc"})");
  const std::string source = R"({"tag":[)" + joined("\"x\"", 40, ",") + "]}";
  stopped(mapOf("Bundle", "src.tag as t -> tgt.entry as e, e.id = t, e.resource = tgt;"), source);
  stopped(mapOf("Bundle", joined("src.tag as a", 6, ", ") + " -> tgt.entry as e, e.id = a;"), source);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 256 << 10) << "KiB";
#endif
}

std::string faultsOf(const std::string& text) {
  fhir::Issues issues;
  EXPECT_FALSE(Library::compile({{"t.map", text}}, visitSchema(), issues).ok());
  return allIssues(issues);
}

TEST(MapLimits, ExtendsInACircleIsAFault) {
  const std::string all = faultsOf(mapOf("Patient", "src -> tgt then A(src, tgt);") +
                                   "group A(source s, target t) extends B { }\n"
                                   "group B(source s, target t) extends C { }\n"
                                   "group C(source s, target t) extends A { }\n"
                                   "group D(source s, target t) extends D { }\n");
  EXPECT_NE(all.find("t.map:7:37: group 'A' extends itself in the end"), std::string::npos) << all;
  EXPECT_NE(all.find("t.map:10:37: group 'D' extends itself in the end"), std::string::npos) << all;
}

TEST(MapLimits, ATextThatIsTooLargeIsRefusedAtOnce) {
  EXPECT_NE(
      faultsOf(mapOf("Patient", repeat("src.id -> tgt.id;\n", 40'000))).find("the map is longer than 200000 words"),
      std::string::npos);
  EXPECT_NE(faultsOf(mapOf("Patient", repeat("src;\n", 12'000))).find("expected fewer rules in a group: split it"),
            std::string::npos);
  EXPECT_NE(faultsOf(mapOf("Patient", "src -> tgt" + repeat(".contact", 40) + " as x;"))
                .find("t.map:5:260: expected fewer elements in a path"),
            std::string::npos);
  EXPECT_NE(faultsOf(mapOf("Patient", repeat("src -> tgt then { ", 80) + repeat("};", 80)))
                .find("expected fewer rules inside each other"),
            std::string::npos);
  EXPECT_NE(faultsOf(mapOf("Patient", "src -> " + joined("tgt.contact as c", 1'500, ", ") + ";"))
                .find("more than 1000 variables are known here"),
            std::string::npos);
  EXPECT_NE(faultsOf(mapOf("Patient", "src.id where " + repeat("(", 200) + "true" + repeat(")", 200) + " -> tgt.id;"))
                .find("an expression with fewer brackets inside each other"),
            std::string::npos);
  EXPECT_NE(faultsOf(R"({"resourceType":"StructureMap","group":[{"name":"g","rule":[)" +
                     joined(R"({"source":[{"context":"a"}]})", 80'000, ",") + "]}]}")
                .find("elements"),
            std::string::npos);
}

TEST(MapLimits, LongExpressionsAreRefusedOrRun) {
  for (const std::string& expression :
       {joined("id", 20'000, " & "), "id" + repeat(".first()", 20'000), joined("id.exists()", 5'000, " and ")}) {
    const Outcome outcome =
        runMap(mapOf("Patient", "src -> tgt.language = (" + expression + ");"), R"({"id":"7"})", visitSchema());
    EXPECT_TRUE(outcome.ok || !outcome.issues.empty());
  }
}

TEST(MapLimits, FaultsAreToldUpToABound) {
  const std::string all = faultsOf(mapOf("Patient", repeat("src.idd -> tgt.idd;\n", 5'000)));
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 200);
}

}  // namespace
}  // namespace lotsen::mapping
