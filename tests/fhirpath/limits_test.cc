// No expression hangs or takes more memory than the limits say, whatever it is: each case runs with the limits that
// production has, and must end by them (or at once) in little time and memory.
#include "tests/fhirpath/evaluate.h"

#include <sys/resource.h>

namespace lotsen::fhirpath {
namespace {

struct Hostile {
  std::string_view name;
  std::string_view expression;
};

/// "#" stands for thirty numbers, %big is a text of a million letters, %many a million numbers.
std::string expanded(std::string_view text) {
  constexpr std::string_view kItems =
      "(1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30)";
  std::string out =
      "defineVariable('big', #.take(20).aggregate($total & $total, 'a'))"
      ".defineVariable('many', #.take(20).aggregate($total.combine($total), 1)).select(" +
      std::string(text) + ")";
  for (std::size_t at = out.find('#'); at != std::string::npos; at = out.find('#', at + kItems.size()))
    out.replace(at, 1, kItems);
  return out;
}

constexpr Hostile kCases[] = {
    {"text doubles", "#.aggregate($total & $total, 'x')"},
    {"text doubles by plus", "#.aggregate($total + $total, 'x')"},
    {"collection doubles", "#.aggregate($total.combine($total), 1)"},
    {"collection doubles in a projection", "#.aggregate(#.select($total), 1)"},
    {"replace explodes", "%big.replace('a', %big)"},
    {"replace of nothing explodes", "%big.replace('', %big)"},
    {"replaceMatches explodes", "%big.replaceMatches('a', %big)"},
    {"replaceMatches is quadratic", "%big.replaceMatches('a|a.*b', 'c')"},
    {"replaceMatches with groups explodes", "%big.replaceMatches('(a*)', '$1$1$1$1$1$1$1$1$1')"},
    {"join explodes", "%many.select(%big).join(%big)"},
    {"join of many", "%many.join(%big)"},
    {"escape grows", "#.aggregate($total.escape('html'), %big.replace('a', '&'))"},
    {"encode grows", "#.aggregate($total.encode('hex'), %big)"},
    {"toChars", "%big.toChars().combine(%big.toChars()).combine(%big.toChars()).combine(%big.toChars())"},
    {"split", "%many.select(%big.split('a'))"},
    {"needle in haystack", "%many.select(%big.contains(%big.substring(0, 500000) & 'b'))"},
    {"last needle in haystack", "%many.select(%big.lastIndexOf('b' & %big.substring(0, 500000)))"},
    {"comparing long texts",
     "defineVariable('b', %big.substring(1) & 'b').select(%many.where(%big.substring(0) = %b))"},
    {"ordering long texts", "defineVariable('b', %big & '').select(%many.where(%big < %b))"},
    {"equivalence of long texts", "defineVariable('b', %big & '').select(%many.where(%big ~ %b))"},
    {"converting long text", "defineVariable('a', %big.replace('a', '1')).select(%many.where(%a.toInteger() = 1))"},
    {"reading long dates",
     "defineVariable('a', %big.replace('a', '1')).select(%many.where(('2020-01-01T10:00:00.' & "
     "%a).toDateTime().exists()))"},
    {"reading long decimals",
     "defineVariable('a', %big.replace('a', '0')).select(%many.where(('0.' & "
     "%a).toDecimal().exists()))"},
    {"reading long units", "defineVariable('a', '1 \\'' & %big & '\\'').select(%many.where(%a.toQuantity() = 1 'g'))"},
    {"a pattern for each item", "%many.where('x'.matches('\\\\pL{900}' & $index.toString()))"},
    {"a pattern that remembers much", "%many.where(%big.matches('(a|b)*a(a|b){15}c'))"},
    {"a long pattern", "'x'.matches(%big)"},
    {"distinct numbers", "repeat(iif($this is Integer, $this, 0) + 1)"},
    {"texts that grow", "repeat(iif($this is String, $this, '') & 'x')"},
    {"repeatAll of itself", "repeatAll($this)"},
    {"repeatAll that doubles", "repeatAll($this | $this.combine($this))"},
    {"sorting many", "%many.combine(%many).combine(%many).sort()"},
    {"sorting by many keys", "%many.sort($this, $this, -$this, $this.toString())"},
    {"sorting long texts", "%many.select(%big).sort()"},
    {"distinct of many", "%many.distinct().combine(%many).isDistinct()"},
    {"members of many", "%many.subsetOf(%many)"},
    {"intersect of many", "%many.intersect(%many.select($index))"},
    {"exclude of many", "%many.exclude(%many.select(0 - $index))"},
    {"equal collections", "%many.where(%many = %many)"},
    {"equivalent collections", "%many.select($index) ~ %many.select(1048575 - $index)"},
    {"descendants of descendants",
     "descendants().select(%context.descendants()).select(%context.descendants())."
     "select(%context.descendants())"},
    {"children for ever", "%many.select(%context.descendants())"},
    {"types of many", "%many.combine(%many).combine(%many).type()"},
    {"many results", "%many.combine(%many).combine(%many)"},
    {"many decimals", "%many.select($this / 3).select($this / 3).select($this / 7)"},
    {"variables for each item", "%many.select(defineVariable('x', %context.descendants()).select(%x))"},
    {"units that multiply", "#.aggregate($total * $total, 1 'kg.m/s2')"},
    {"numbers that multiply", "#.aggregate($total * $total, 1.0000000001)"},
    {"power of power", "#.aggregate($total.power(100000), 1.0001)"},
    {"dates that run away", "%many.select(@9999-12-31 - ($index.toString() & ' years').toQuantity())"},
    {"resolving for ever", "%many.select('urn:uuid:1'.resolve())"},
    {"narrative", "%many.select(('<div>' & %big & '</div>').htmlChecks())"},
    {"quantities", "%many.where(1 'kg.m/s2' = 2 'g.km/min2')"},
};

class Limit : public testing::TestWithParam<Hostile> {};

double processorSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long residentMegabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

TEST_P(Limit, EndsInTimeAndMemory) {
  const auto document = readDocument(kBundle);
  const double before = processorSeconds();
  const std::string text = expanded(GetParam().expression);
  CompileOptions options;
  auto program = Program::compile(text, fhir::Schema::r4(), options);
  ASSERT_TRUE(program.ok()) << program.error().message;
  Environment environment;
  environment.document = document.get();
  std::string ending = "fine";
  {
    Evaluator evaluator(std::move(environment));
    const auto result = evaluator.evaluate(*program, document->root());
    if (!result.ok()) {
      ending = result.error().message;
      EXPECT_TRUE(result.error().code == Code::TooLarge || result.error().code == Code::Invalid) << ending;
    }
  }
  const double seconds = processorSeconds() - before;
  std::printf("%-36s %6.2f s, %3ld MB at most so far: %.90s\n", std::string(GetParam().name).c_str(), seconds,
              residentMegabytes(), ending.c_str());
  EXPECT_LT(seconds, 30);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(residentMegabytes(), 256);
#endif
}

INSTANTIATE_TEST_SUITE_P(Hostile, Limit, testing::ValuesIn(kCases));

}  // namespace
}  // namespace lotsen::fhirpath
