// Whole letters: the shipped templates on the source Bundles in golden/, and what stops a letter.
#include "gateway/letter/render.h"

#include "gateway/fhir/forms.h"
#include "gateway/letter/files.h"
#include "tests/letter/paper.h"

#include <algorithm>
#include <cstdlib>

namespace lotsen::letter {
namespace {

namespace fs = std::filesystem;

const std::string kTemplates = std::string(LOTSEN_SOURCE_DIR) + "/templates";
const fs::path kGolden = fs::path(LOTSEN_SOURCE_DIR) / "tests/letter/golden";

std::string contentOf(const fs::path& path) {
  std::string text;
  EXPECT_TRUE(readFile(path.string(), text)) << path;
  return text;
}

std::string told(const fhir::Issues& issues) {
  std::string all;
  for (const auto& issue : issues.list()) all += issue.source + ": " + issue.rule + ": " + issue.text + "\n";
  return all;
}

/// Text with every stretch of blanks and line ends as one blank: what a reader sees, wherever the lines break.
std::string unwrapped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\f' || c == '\t';
    if (!blank) result += c;
    if (blank && !result.empty() && result.back() != ' ') result += ' ';
  }
  return result;
}

class Letters : public testing::Test {
 protected:
  void SetUp() override {
    auto library = loadLibrary(kTemplates, schema_, issues_);
    ASSERT_TRUE(library.ok()) << library.error().message << "\n" << told(issues_);
    library_ = std::move(library).value();
    fonts_ = openFonts();
    profile_ = *library_.profile("c5-h2");
  }

  Result<Rendered> make(const Template& letter, const std::string& json, Format format) {
    fhir::Issues reading;
    auto source = fhir::readJson(json, schema_, {}, reading);
    EXPECT_TRUE(source.ok()) << told(reading);
    RenderOptions options;
    options.now = *parseInstant("2026-11-22T08:00:00Z");
    options.profile = &profile_;
    options.fonts = fonts_.get();
    return render(letter, *source, format, options, issues_);
  }

  const Template& shipped(const std::string& id) { return *library_.find(id, "sv-SE"); }
  static std::string source(const std::string& goldenCase) { return contentOf(kGolden / goldenCase / "source.json"); }

  std::shared_ptr<const fhir::Schema> schema_ = fhir::Schema::r4();
  Library library_;
  PrintProfile profile_;
  std::unique_ptr<Fonts> fonts_;
  fhir::Issues issues_;
};

void compare(const fs::path& file, const std::string& actual) {
  if (std::getenv("LOTSEN_ACCEPT") != nullptr) std::ofstream(file, std::ios::binary) << actual;
  EXPECT_EQ(actual, contentOf(file)) << file;
}

TEST_F(Letters, EqualTheGoldenCases) {
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    SCOPED_TRACE(entry.path().filename());
    ++cases;
    const auto name = std::string(trim(contentOf(entry.path() / "template")));
    const std::string id = name.substr(0, name.find('.'));
    const std::string json = contentOf(entry.path() / "source.json");
    for (const auto& [format, file] :
         {std::pair(Format::Text, "expected.txt"), std::pair(Format::Html, "expected.html")}) {
      const auto rendered = make(shipped(id), json, format);
      ASSERT_TRUE(rendered.ok()) << rendered.error().message << "\n" << told(issues_);
      compare(entry.path() / file, rendered->bytes);
    }
    const auto pdf = make(shipped(id), json, Format::Pdf);
    ASSERT_TRUE(pdf.ok()) << told(issues_);
    compare(entry.path() / "expected.pdf.txt", pdfTool(pdf->bytes, "pdftotext -layout", "-"));
  }
  EXPECT_EQ(cases, 4);
  EXPECT_TRUE(issues_.empty()) << told(issues_);
}

/// What the out-maps make of a transfer (fixtures/) is what the templates ask for (templates/README.md).
TEST_F(Letters, FitWhatTheOutMapsMake) {
  int cases = 0;
  for (const std::string id : {"patient-lotsning", "clinician-lotsning"}) {
    const bool patient = id == "patient-lotsning";
    const auto folder =
        fs::path(LOTSEN_SOURCE_DIR) / "fixtures" / (patient ? "leg-patient-letter" : "leg-clinician-letter");
    for (const auto& entry : fs::directory_iterator(folder)) {
      const auto expected = entry.path() / "expected.json";
      if (!fs::exists(expected)) continue;
      SCOPED_TRACE(entry.path());
      ++cases;
      const std::string json = contentOf(expected);
      issues_ = {};
      const auto pdf = make(shipped(id), json, Format::Pdf);
      EXPECT_TRUE(pdf.ok() || entry.path().filename() != "own-region") << told(issues_);
      // Other cases may lack what a letter needs; they must stop for no other reason.
      for (const auto& issue : issues_.list()) {
        EXPECT_TRUE(issue.rule == "letter-missing" || issue.rule == "letter-protected-identity") << told(issues_);
      }
    }
  }
  EXPECT_GE(cases, 4);
}

TEST_F(Letters, PatientLetterHasItsSixContents) {
  for (const Format format : {Format::Pdf, Format::Text, Format::Html}) {
    const auto letter = make(shipped("patient-lotsning"), source("patient-lotsning"), format);
    ASSERT_TRUE(letter.ok()) << told(issues_);
    const std::string text = unwrapped(format == Format::Pdf ? pdfText(letter->bytes) : letter->bytes);
    for (const char* content :
         {"Sjukhuset kan inte ge vården inom den tid som vårdgarantin säger.",                 // reason_for_transfer
          "Specialistkliniken Eken", "Ekgatan 3, Plan 2", "411 01 Göteborg", "010-987 65 43",  // new_provider_contact
          "Du har rätt att stå kvar i kön på sjukhuset.", "Väntan kan bli flera månader längre.",  // stay_in_queue
          "rätt till ersättning för resor",                                           // travel_reimbursement
          "Sjukreseenheten Region Exempel", "010-123 45 80",                          // travel_unit_contact
          "Vårdgarantin säger hur länge du som längst ska behöva vänta på vård."}) {  // vardgaranti_information
      EXPECT_NE(text.find(content), std::string::npos) << content << "\n" << text;
    }
  }
}

TEST_F(Letters, ClinicianLetterHasItsThreeContents) {
  for (const Format format : {Format::Pdf, Format::Text}) {
    const auto letter = make(shipped("clinician-lotsning"), source("clinician-lotsning"), format);
    ASSERT_TRUE(letter.ok()) << told(issues_);
    const std::string text = unwrapped(format == Format::Pdf ? pdfText(letter->bytes) : letter->bytes);
    for (const char* content :
         {"Anna-Karin Åkerström Öberg", "19900222-2397",                       // patient
          "Sjukhuset kan inte ge vården",                                      // reason_for_transfer
          "Specialistkliniken Eken", "Ekgatan 3, Plan 2", "010-987 65 43"}) {  // new_provider_contact
      EXPECT_NE(text.find(content), std::string::npos) << content << "\n" << text;
    }
    EXPECT_EQ(text.find("Långgatan"), std::string::npos);
  }
}

TEST_F(Letters, NotificationTellsNothingAboutCare) {
  const auto line = make(shipped("patient-lotsning"), source("patient-lotsning"), Format::Notification);
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->bytes,
            "Du har ett nytt brev från Vårdgarantiservice, Region Exempel. Logga in på 1177.se för att läsa det.\n");
  EXPECT_FALSE(make(shipped("clinician-lotsning"), source("clinician-lotsning"), Format::Notification).ok());
}

/// The golden source with `from` replaced by `to`: the rule that stops the letter.
struct Change {
  const char* name;
  const char* from;
  const char* to;
  const char* rule;
  const char* variable;
};

class StoppedLetter : public Letters, public testing::WithParamInterface<Change> {};

TEST_P(StoppedLetter, SaysWhyAndTellsNoValue) {
  const Change& change = GetParam();
  std::string json = source("patient-lotsning");
  const auto at = json.find(change.from);
  ASSERT_NE(at, std::string::npos) << change.from;
  json.replace(at, std::string(change.from).size(), change.to);
  const auto letter = make(shipped("patient-lotsning"), json, Format::Pdf);
  ASSERT_FALSE(letter.ok());
  EXPECT_EQ(letter.error().code, Code::Invalid);
  ASSERT_FALSE(issues_.empty());
  const fhir::Issue& issue = issues_.list().front();
  EXPECT_EQ(issue.rule, change.rule) << told(issues_);
  EXPECT_NE(issue.text.find(change.variable), std::string::npos) << told(issues_);
  for (const char* secret : {"Anna-Karin", "Långgatan", "Eken", "\u202e", "伊藤"}) {
    EXPECT_EQ(told(issues_).find(secret), std::string::npos) << told(issues_);
  }
}

#define REASON \
  "Sjukhuset kan inte ge vården inom den tid som vårdgarantin säger. En annan vårdgivare kan ge den tidigare."

INSTANTIATE_TEST_SUITE_P(
    Source, StoppedLetter,
    testing::Values(
        Change{"Missing", "\"name\": \"travelUnitPhone\"", "\"name\": \"other\"", "letter-missing", "'travel.phone'"},
        Change{"Blank", REASON, " \\n ", "letter-blank", "'reason'"},
        Change{"WrongType", "010-987 65 43", "ring oss", "letter-type", "'provider.phone'"},
        Change{"Several", "\"name\": \"caseNumber\"", "\"name\": \"reason\"", "letter-missing", "'case.number'"},
        Change{"UnknownBasis", "\"vardgaranti\"", "\"okand\"", "letter-missing", "'travel.covered'"},
        Change{"BidiOverride", "Specialistkliniken Eken", "Specialist\u202ekliniken Eken", "letter-character",
               "'provider.name'"},
        Change{"NoGlyph", "Anna-Karin", "伊藤", "letter-glyph", "'patient.name'"},
        Change{"NameWithoutLetters",
               "\"family\": \"Åkerström Öberg\",\n      \"given\": [\n       \"Anna-Karin\"\n      ]",
               "\"family\": \"-\"", "letter-type", "'patient.name'"},
        Change{"UnknownAddress", "Långgatan 12 B lgh 1203", "Adress okänd", "letter-address", "unknown or protected"},
        Change{"NoPostalCode", "\"postalCode\": \"12345\"", "\"postalCode\": \"0150\"", "letter-address",
               "postal code"},
        Change{"TooWide", "Långgatan 12 B lgh 1203",
               "Långgatan 12 B lgh 1203 ingång från gården genom den andra porten till vänster", "letter-window",
               "does not fit"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Letters, EveryFaultIsToldAtOnce) {
  std::string json = source("patient-lotsning");
  for (const std::string name : {"reason", "answerPhone", "guaranteeInfo"}) {
    json.replace(json.find("\"name\": \"" + name + "\""), name.size() + 10, "\"name\": \"x" + name.substr(1) + "\"");
  }
  EXPECT_FALSE(make(shipped("patient-lotsning"), json, Format::Text).ok());
  EXPECT_EQ(issues_.list().size(), 3U) << told(issues_);
}

TEST_F(Letters, ProtectedPatientGetsNoPaperAndIsNotNamedToOthers) {
  const std::string json = source("clinician-lotsning-protected");
  EXPECT_FALSE(make(shipped("patient-lotsning"), json, Format::Pdf).ok());
  ASSERT_FALSE(issues_.empty());
  EXPECT_EQ(issues_.list().front().rule, "letter-protected-identity");
  const auto clinician = make(shipped("clinician-lotsning"), json, Format::Text);
  ASSERT_TRUE(clinician.ok()) << told(issues_);
  for (const char* secret : {"Anna-Karin", "19900222", "Långgatan", "070-174"}) {
    EXPECT_EQ(clinician->bytes.find(secret), std::string::npos) << secret;
  }
}

TEST_F(Letters, NoLetterTellsWhereAProtectedPatientLives) {
  const std::string text =
      "---\nid: x\nlang: sv-SE\ntitle: X\nrecipient: clinician\nsender: x\naddress: x\n"
      "var where: text = Bundle.entry.resource.ofType(Patient).address.select('Bor på ' & line.first())\n"
      "var number: phone = Bundle.entry.resource.ofType(Patient).telecom.value\n---\n# X\n\n{{where}} {{number}}\n";
  auto leaky = Template::parse(text, "leaky.md", schema_, issues_);
  ASSERT_TRUE(leaky.ok()) << told(issues_);
  EXPECT_TRUE(make(*leaky, source("clinician-lotsning"), Format::Text).ok());
  EXPECT_FALSE(make(*leaky, source("clinician-lotsning-protected"), Format::Text).ok());
  ASSERT_EQ(issues_.list().size(), 2U) << told(issues_);
  for (const auto& issue : issues_.list()) EXPECT_EQ(issue.rule, "letter-protected-identity");
}

TEST_F(Letters, ValuesAreNeverMarkup) {
  std::string json = source("patient-lotsning");
  const std::string evil = "# Rubrik <b>x</b> {{case.number}} {{#x}} [y](https://ond.example) **fet** | - a";
  json.replace(json.find(REASON), std::string(REASON).size(), evil);
  const auto text = make(shipped("patient-lotsning"), json, Format::Text);
  ASSERT_TRUE(text.ok()) << told(issues_);
  EXPECT_NE(text->bytes.find("\n" + evil + "\n"), std::string::npos) << text->bytes;
  const auto html = make(shipped("patient-lotsning"), json, Format::Html);
  EXPECT_NE(html->bytes.find("<p># Rubrik &lt;b&gt;x&lt;/b&gt; {{case.number}}"), std::string::npos);
  EXPECT_NE(
      unwrapped(pdfText(make(shipped("patient-lotsning"), json, Format::Pdf)->bytes)).find("<b>x</b> {{case.number}}"),
      std::string::npos);
}

TEST_F(Letters, ExpressionFaultsAreToldWithTheirPlace) {
  const std::string text =
      "---\nid: x\nlang: xx\ntitle: X\nrecipient: clinician\nsender: x\naddress: x\n"
      "var a: text = Bundle.entry.where(\n---\n# X\n\n{{a}}\n";
  EXPECT_FALSE(Template::parse(text, "broken.md", schema_, issues_).ok());
  ASSERT_EQ(issues_.list().size(), 2U);
  EXPECT_EQ(issues_.list()[0].rule, "template-language");
  EXPECT_EQ(issues_.list()[1].rule, "template-fhirpath");
  EXPECT_EQ(issues_.list()[1].source, "broken.md:8");
}

TEST_F(Letters, FilesBecomeALetterInOneCall) {
  const LetterFiles files{kTemplates + "/patient-lotsning.sv.md",
                          (kGolden / "patient-lotsning/source.json").string(),
                          {"/usr/share/fonts/truetype/noto", "/usr/share/fonts/truetype/liberation"}};
  const auto pdf = renderFiles(files, *formatNamed("pdf"), *parseInstant("2026-11-22T08:00:00Z"), schema_, issues_);
  ASSERT_TRUE(pdf.ok()) << told(issues_);
  EXPECT_EQ(pdf->bytes, make(shipped("patient-lotsning"), source("patient-lotsning"), Format::Pdf)->bytes);
  EXPECT_EQ(pdf->pages, 2U);
  LetterFiles missing = files;
  missing.dataPath = "/nowhere.json";
  EXPECT_EQ(renderFiles(missing, Format::Text, {}, schema_, issues_).error().code, Code::NotFound);
  EXPECT_FALSE(formatNamed("docx"));
}

}  // namespace
}  // namespace lotsen::letter
