#include "gateway/mapping/parser.h"

#include "gateway/base/text.h"
#include "gtest/gtest.h"
#include "tests/support/shared.h"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lotsen::mapping {
namespace {

struct Parsed {
  MapNode map;
  fhir::Issues issues;
  std::string faults;  // one a line
};

Parsed parse(std::string_view text) {
  Parsed out;
  Faults faults(out.issues);
  out.map = parseMap("t.map", text, faults);
  for (const auto& issue : out.issues.list()) out.faults += issue.text + "\n";
  return out;
}

/// The rules of a group that wraps `rules`.
std::vector<RuleNode> rulesOf(const std::string& rules) {
  Parsed parsed = parse("map \"u\" = \"n\"\ngroup G(source src : A, target tgt : B) {\n" + rules + "\n}\n");
  EXPECT_EQ(parsed.faults, "") << rules;
  return parsed.map.groups.empty() ? std::vector<RuleNode>() : parsed.map.groups[0].rules;
}

std::string faultsOf(const std::string& rules) {
  return parse("map \"u\" = \"n\"\ngroup G(source src : A, target tgt : B) {\n" + rules + "\n}\n").faults;
}

TEST(Parser, readsTheHeadInBothPublishedForms) {
  const Parsed r4 = parse(
      "map \"http://x/StructureMap/a\" = \"a map\"\n"
      "uses \"http://x/Src\" alias Src as source // comment\n"
      "uses \"http://x/Tgt\" as target;\n"
      "uses \"http://x/Q\" alias Q as queried\n"
      "uses \"http://x/P\" alias P as produced\n"
      "imports \"http://x/*3to4\"\n"
      "let code = 'abc';\n"
      "group G(source src : Src, target tgt) extends H <<type+>> { src -> tgt.a = 'x' \"n\"; }\n");
  EXPECT_EQ(r4.faults, "");
  EXPECT_EQ(r4.map.url.text, "http://x/StructureMap/a");
  EXPECT_EQ(r4.map.name.text, "a map");
  ASSERT_EQ(r4.map.uses.size(), 4u);
  EXPECT_EQ(r4.map.uses[0].alias.text, "Src");
  EXPECT_EQ(r4.map.uses[1].mode, ModelMode::Target);
  EXPECT_EQ(r4.map.uses[3].mode, ModelMode::Produced);
  EXPECT_EQ(r4.map.imports.at(0).text, "http://x/*3to4");
  EXPECT_EQ(r4.map.constants.at(0).expression.text, "'abc'");
  const GroupNode& group = r4.map.groups.at(0);
  EXPECT_EQ(group.extends.text, "H");
  EXPECT_EQ(group.typeMode, TypeMode::TypeAndTypes);
  EXPECT_EQ(group.inputs.at(0).type.text, "Src");
  EXPECT_TRUE(group.inputs.at(1).type.empty());

  const Parsed r5 = parse(
      "/// url = 'http://x/b'\n/// name = \"b\"\n/// title = \"\"\"\n# A\ntitle\n\"\"\"\n// plain comment\n"
      "group G(source src, target tgt) { }\n");
  EXPECT_EQ(r5.faults, "");
  EXPECT_EQ(r5.map.url.text, "http://x/b");
  EXPECT_EQ(r5.map.name.text, "b");
  EXPECT_EQ(r5.map.metadata.at(2).second, "# A\ntitle");
}

TEST(Parser, readsEveryPartOfASource) {
  const auto rules = rulesOf(
      "src.a : Quantity 0..* default ('x') not_first as v where v.code = 'k' and v.exists() check v.ok log 'seen' & "
      "v.code "
      "-> tgt.b = v \"all\";");
  ASSERT_EQ(rules.size(), 1u);
  const SourceNode& source = rules[0].sources.at(0);
  EXPECT_EQ(source.path.at(1).text, "a");
  EXPECT_EQ(source.type.text, "Quantity");
  EXPECT_EQ(source.min, 0u);
  EXPECT_EQ(source.max, fhir::kUnbounded);
  EXPECT_EQ(source.fallback->text.text, "('x')");
  EXPECT_EQ(source.listMode, SourceListMode::NotFirst);
  EXPECT_EQ(source.variable.text, "v");
  EXPECT_EQ(source.where.text, "v.code = 'k' and v.exists()");
  EXPECT_EQ(source.check.text, "v.ok");
  EXPECT_EQ(source.log.text, "'seen' & v.code");
  EXPECT_EQ(rules[0].name.text, "all");
}

TEST(Parser, aConditionWithoutBracketsEndsAtTheArrow) {
  const auto rules =
      rulesOf("src.contributor as vs where type = 'author' -> tgt.author as vt then Contributor(vs, vt);");
  EXPECT_EQ(rules.at(0).sources.at(0).where.text, "type = 'author'");
  EXPECT_EQ(rules.at(0).calls.at(0).group.text, "Contributor");
  EXPECT_EQ(rules.at(0).calls.at(0).arguments.at(1).steps.at(0).text, "vt");
}

TEST(Parser, readsEveryFormOfATarget) {
  const auto rules = rulesOf(
      "src as s -> tgt.a as a first, tgt.b = 'x' as b, tgt.c = s.d.e, tgt.f = (s.g + 1) as f last, (s.h) as h,\n"
      "  append('a', s) as i, tgt.j = create('Patient') as p, tgt.k as k share names, tgt.l as l collate, tgt.m as m "
      "single,\n"
      "  tgt.n = 4.5, tgt.o = true, tgt.p = @2020-01-01, tgt.q = 'a' & s.id as q, tgt.r = iif(s.x, 'y', 'z'), tgt.s = "
      "5 'mg',\n"
      "  tgt.t = -3, tgt.u = s.v.toString() \"many\";");
  const auto& targets = rules.at(0).targets;
  ASSERT_EQ(targets.size(), 18u);
  EXPECT_FALSE(targets[0].transform);
  EXPECT_EQ(targets[0].listMode, TargetListMode::First);
  EXPECT_EQ(targets[1].transform->name.text, "copy");
  EXPECT_EQ(targets[1].variable.text, "b");
  EXPECT_EQ(targets[2].transform->arguments[0].steps.size(), 3u);
  EXPECT_EQ(targets[3].transform->name.text, "evaluate");
  EXPECT_EQ(targets[3].transform->arguments[0].text.text, "(s.g + 1)");
  EXPECT_EQ(targets[3].listMode, TargetListMode::Last);
  EXPECT_TRUE(targets[4].path.empty());
  EXPECT_EQ(targets[5].transform->name.text, "append");
  EXPECT_EQ(targets[6].transform->arguments[0].text.text, "Patient");
  EXPECT_EQ(targets[7].shareId.text, "names");
  EXPECT_EQ(targets[8].listMode, TargetListMode::Single);
  EXPECT_EQ(targets[9].listMode, TargetListMode::Single);
  EXPECT_EQ(targets[10].transform->arguments[0].literal, LiteralKind::Decimal);
  EXPECT_EQ(targets[11].transform->arguments[0].literal, LiteralKind::Boolean);
  EXPECT_EQ(targets[12].transform->arguments[0].literal, LiteralKind::Date);
  EXPECT_EQ(targets[13].transform->arguments[0].text.text, "'a' & s.id");
  EXPECT_EQ(targets[13].variable.text, "q");
  EXPECT_EQ(targets[14].transform->name.text, "evaluate");
  EXPECT_EQ(targets[15].transform->arguments[0].text.text, "5 'mg'");
  EXPECT_EQ(targets[16].transform->arguments[0].text.text, "-3");
  EXPECT_EQ(targets[17].transform->arguments[0].text.text, "s.v.toString()");
}

TEST(Parser, doubleQuotedStringsInFhirPathBecomeSingleQuoted) {
  const auto rules = rulesOf("src -> tgt.a = evaluate(src, iif(src.is(Patient), \"it's\", \"no\")) \"eval\";");
  const Transform& transform = *rules.at(0).targets.at(0).transform;
  EXPECT_EQ(transform.arguments.at(1).text.text, "iif(src.is(Patient), 'it\\'s', 'no')");
  EXPECT_EQ(rules[0].name.text, "eval");
}

TEST(Parser, readsThenBodiesAndCalls) {
  const auto rules = rulesOf(
      "src.a as a then { a.b -> tgt.b; a.c -> tgt.c then { } \"in\"; } \"out\";\n src.d as d then G(d, tgt), H(d, 'x') "
      "{ d.e -> tgt.e; } rulename;");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].rules.size(), 2u);
  EXPECT_TRUE(rules[0].rules[1].hasBody);
  EXPECT_EQ(rules[1].calls.size(), 2u);
  EXPECT_EQ(rules[1].calls[1].arguments[1].kind, Operand::Kind::Literal);
  EXPECT_EQ(rules[1].rules.size(), 1u);
  EXPECT_EQ(rules[1].name.text, "rulename");
}

TEST(Parser, readsConceptMaps) {
  const Parsed parsed = parse(
      "map \"u\" = \"n\"\nconceptmap \"#sex\" {\n prefix s = \"http://s\"\n prefix t = \"http://t\"\n unmapped for s = "
      "provided\n"
      " s:M == t:male\n s:\"F 1\" - t:female\n s:X -- \n s:Y <= t:'other one'\n s:5 >- t:five\n}\n"
      "group G(source a, target b) { a -> b; }\n");
  EXPECT_EQ(parsed.faults, "");
  const ConceptMapNode& map = parsed.map.conceptMaps.at(0);
  EXPECT_EQ(map.id.text, "sex");
  ASSERT_EQ(map.entries.size(), 5u);
  EXPECT_EQ(map.entries[0].equivalence, Equivalence::Equivalent);
  EXPECT_EQ(map.entries[0].targetSystem, "http://t");
  EXPECT_EQ(map.entries[1].source, "F 1");
  EXPECT_EQ(map.entries[2].equivalence, Equivalence::Unmatched);
  EXPECT_EQ(map.entries[3].equivalence, Equivalence::Wider);
  EXPECT_EQ(map.entries[4].equivalence, Equivalence::Specializes);
  EXPECT_EQ(map.unmappedProvided.at(0), "http://s");
}

TEST(Parser, keywordsMayNameElementsAndVariables) {
  const auto rules = rulesOf(
      "src.group as group -> tgt.source = group; src.`odd name` -> tgt.target; src.where as map where map.log -> "
      "tgt.check;");
  EXPECT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[1].sources[0].path[1].text, "odd name");
}

TEST(Parser, saysWhatWasExpectedAndWhere) {
  EXPECT_EQ(faultsOf("src.a -> tgt.b"),
            "t.map:3:15: expected '->', 'then', the rule's name or ';' before the end of the line\n");
  EXPECT_EQ(faultsOf("src.a as -> tgt.b;"), "t.map:3:10: expected the name of a variable after 'as' but found '->'\n");
  EXPECT_EQ(faultsOf("src.a where (x = ) -> tgt.b;"), "t.map:3:18: expected a FHIRPath expression but found ')'\n");
  EXPECT_EQ(faultsOf("src.a where (x = 1 -> tgt.b;"), "t.map:3:20: expected an operator or ')' but found '->'\n");
  EXPECT_EQ(faultsOf("src.a 2..1 -> tgt.b;"), "t.map:3:10: the maximum is below the minimum\n");
  EXPECT_EQ(faultsOf("src.a -> tgt.b = ;"), "t.map:3:18: expected a FHIRPath expression but found ';'\n");
  EXPECT_EQ(faultsOf("src.a -> tgt.b = 'x;\nsrc.c -> ;"),
            "t.map:3:18: this string is never closed; end it with '\n"
            "t.map:3:21: expected '->', 'then', the rule's name or ';' before the end of the line\n");
  EXPECT_EQ(parse("map 'u' = 'n'\nuse 'x' as source\n").faults,
            "t.map:2:1: expected 'map', 'uses', 'imports', 'let', 'conceptmap' or 'group' but found 'use'; did you "
            "mean 'uses'?\n"
            "t.map:3:1: a map needs at least one group: group Name(source src : Type, target tgt : Type) { … }\n");
}

TEST(Parser, findsAllFaultsInOnePass) {
  const std::string faults = faultsOf(
      "src.a => tgt.b;\nsrc.c -> tgt.d { };\nsrc.ok -> tgt.ok;\nsrc.e as e then { e. -> tgt.f; e.g -> ; } \"x\";");
  EXPECT_EQ(std::count(faults.begin(), faults.end(), '\n'), 4) << faults;
}

TEST(Parser, survivesHostileNesting) {
  std::string deep = "src where ";
  for (int i = 0; i < 5000; ++i) deep += "(";
  EXPECT_NE(faultsOf(deep), "");
  std::string rules;
  for (int i = 0; i < 5000; ++i) rules += "src then { ";
  EXPECT_NE(faultsOf(rules), "");
}

/// Every official map parses without a fault.
TEST(ParserCorpus, parsesTheOfficialMaps) {
  const auto root = test::sharedPath("corpora/structure-mapping");
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "no corpus at " << root;
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".map") continue;
    std::string text;
    ASSERT_TRUE(readFile(entry.path().string(), text));
    EXPECT_EQ(parse(text).faults, "") << entry.path();
    ++count;
  }
  EXPECT_GE(count, 20);
}

}  // namespace
}  // namespace lotsen::mapping
