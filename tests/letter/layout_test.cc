#include "gateway/letter/layout.h"

#include "gateway/letter/pdf.h"
#include "gateway/letter/window.h"
#include "tests/letter/paper.h"

#include <thread>

namespace lotsen::letter {
namespace {

Inlines words(const std::string& text) {
  Inline part;
  part.text = text;
  part.line = 7;
  return {part};
}

Document document(int paragraphs = 3) {
  Document letter;
  letter.file = "prov.sv.md";
  letter.language = "sv-SE";
  letter.title = "Provbrev åäö (1)";
  letter.sender = {words("Vårdgarantiservice"), words("Box 1"), words("123 80 Exempelstad")};
  letter.address = {words("Anna-Karin Åkerström Öberg"), words("Långgatan 12 B lgh 1203"), words("12345 Örebro")};
  letter.reference = {words("Datum 21 november 2026")};
  letter.footer = {words("Region Exempel")};
  letter.blocks.push_back({Node::Kind::Heading, 1, {words("Din remiss har flyttats")}});
  for (int i = 0; i < paragraphs; ++i) {
    letter.blocks.push_back({Node::Kind::Heading, 2, {words("Rubrik " + std::to_string(i))}});
    letter.blocks.push_back(
        {Node::Kind::Paragraph,
         0,
         {words("Vi har tagit emot en remiss för dig. Den är nu flyttad till en annan vårdgivare, som kan ge dig "
                "en tid tidigare. Du behöver inte göra någonting just nu, men spara brevet.")}});
  }
  letter.blocks.push_back({Node::Kind::Bullets, 0, {words("första punkten"), words("andra punkten")}});
  return letter;
}

Inlines linked(const std::string& text, const std::string& link) {
  Inlines part = words(text);
  part.front().link = link;
  return part;
}

class Layout : public testing::Test {
 protected:
  Result<DisplayList> lay(const Document& letter) { return layOut(letter, profile_, *fonts_, issues_); }
  std::string rules() const {
    std::string all;
    for (const auto& issue : issues_.list()) all += issue.rule + " ";
    return all;
  }
  std::string pdf(const Document& letter) {
    auto list = lay(letter);
    EXPECT_TRUE(list.ok()) << rules();
    auto bytes = writePdf(*list, *parseInstant("2026-11-22T08:00:00Z"), *fonts_);
    EXPECT_TRUE(bytes.ok());
    return *bytes;
  }

  std::unique_ptr<Fonts> fonts_ = openFonts();
  PrintProfile profile_ = openProfile();
  fhir::Issues issues_;
};

TEST_F(Layout, PutsTheAddressInTheWindowAndNothingElse) {
  const auto list = lay(document());
  ASSERT_TRUE(list.ok()) << rules();
  EXPECT_EQ(list->pages.size(), 1U);
  EXPECT_TRUE(windowIsRight(*list, profile_, issues_)) << rules();
  std::string address;
  for (const GlyphRun& run : list->pages[0].runs) {
    if (run.element == list->address) address += run.text + "|";
  }
  EXPECT_EQ(address, "Anna-Karin Åkerström Öberg |Långgatan 12 B lgh 1203 |123 45  ÖREBRO|");
}

TEST_F(Layout, ClustersAddUpToTextAndGlyphs) {
  const auto list = lay(document());
  ASSERT_TRUE(list.ok());
  for (const GlyphRun& run : list->pages[0].runs) {
    std::size_t bytes = 0;
    std::size_t glyphs = 0;
    double width = 0;
    for (const Cluster& cluster : run.clusters) {
      bytes += cluster.bytes;
      glyphs += cluster.glyphs;
    }
    for (const Glyph& glyph : run.glyphs) width += glyph.advance;
    EXPECT_EQ(bytes, run.text.size());
    EXPECT_EQ(glyphs, run.glyphs.size());
    EXPECT_NEAR(width, run.width, 1e-9);
  }
}

TEST_F(Layout, GoesOnOverPagesWithoutLonelyLinesOrHeadings) {
  const auto list = lay(document(12));
  ASSERT_TRUE(list.ok()) << rules();
  ASSERT_GE(list->pages.size(), 2U);
  for (const Page& page : list->pages) {
    const Box& box = &page == &list->pages.front() ? profile_.firstPage : profile_.nextPages;
    ElementIndex last = kDecoration;
    for (const GlyphRun& run : page.runs) {
      if (run.element == kDecoration) continue;
      EXPECT_LE(run.baseline, box.bottom());
      last = run.element;
    }
    EXPECT_NE(list->elements[last].role, Role::Heading2) << "a heading alone at the foot of a page";
  }
}

TEST_F(Layout, TooLongIsAnIssueNotASmallerFont) {
  EXPECT_FALSE(lay(document(60)).ok());
  EXPECT_EQ(rules(), "letter-overflow ");
}

TEST_F(Layout, CharacterWithoutGlyphNamesTheVariableOnly) {
  Document letter = document();
  letter.blocks[2].lines[0][0].text = "伊藤";
  letter.blocks[2].lines[0][0].variable = "patient.name";
  EXPECT_FALSE(lay(letter).ok());
  ASSERT_EQ(rules(), "letter-glyph ");
  EXPECT_NE(issues_.list()[0].text.find("'patient.name'"), std::string::npos);
  EXPECT_EQ(issues_.list()[0].text.find("伊藤"), std::string::npos);
  EXPECT_EQ(issues_.list()[0].source, "prov.sv.md:7");
}

TEST_F(Layout, WindowGateSeesWhatLayoutDidWrong) {
  auto list = lay(document());
  ASSERT_TRUE(list.ok());
  DisplayList wide = *list;
  for (GlyphRun& run : wide.pages[0].runs) {
    if (run.element == wide.address) run.width += 500;
  }
  EXPECT_FALSE(windowIsRight(wide, profile_, issues_));
  DisplayList foreign = *list;
  foreign.pages[0].runs.front().x = profile_.window.x + 5;
  foreign.pages[0].runs.front().baseline = profile_.window.y + 20;
  EXPECT_FALSE(windowIsRight(foreign, profile_, issues_));
  DisplayList none = *list;
  none.address = kDecoration;
  EXPECT_FALSE(windowIsRight(none, profile_, issues_));
  PrintProfile reserved = profile_;
  reserved.keepFree.push_back(reserved.firstPage);
  EXPECT_FALSE(windowIsRight(*list, reserved, issues_));
}

TEST_F(Layout, PdfIsReadableTaggedAndTheSameEveryTime) {
  Document letter = document();
  letter.blocks.push_back({Node::Kind::Paragraph, 0, {linked("Läs mer på 1177", "https://www.1177.se/")}});
  const std::string bytes = pdf(letter);
  pdf(document(12));  // another letter in between must not change anything
  EXPECT_EQ(bytes, pdf(letter));
  {
    auto other = openFonts();
    std::swap(other, fonts_);
    EXPECT_EQ(bytes, pdf(letter));
  }
  const std::string text = pdfText(bytes);
  EXPECT_NE(text.find("Din remiss har flyttats"), std::string::npos) << text;
  EXPECT_NE(text.find("123 45 ÖREBRO"), std::string::npos) << text;
  EXPECT_NE(text.find("Läs mer på 1177 (www.1177.se)"), std::string::npos) << text;
  EXPECT_NE(text.find("Sida 1 av 1"), std::string::npos) << text;
  const std::string info = pdfTool(bytes, "pdfinfo -isodates", "");
  EXPECT_NE(info.find("Provbrev åäö (1)"), std::string::npos) << info;
  EXPECT_NE(info.find("2026-11-22T08:00:00Z"), std::string::npos) << info;
  EXPECT_NE(info.find("Tagged:          yes"), std::string::npos) << info;
  const std::string structure = pdfTool(bytes, "pdfinfo -struct", "");
  for (const char* tag : {"Document", "H1", "H2", "P (block)", "L (block)", "Lbl", "LBody", "Link"}) {
    EXPECT_NE(structure.find(tag), std::string::npos) << structure;
  }
  EXPECT_NE(bytes.find("/Lang (sv-SE)"), std::string::npos);
  EXPECT_NE(bytes.find("/DisplayDocTitle true"), std::string::npos);
}

TEST_F(Layout, TextIsWholeWhereLinesBreak) {
  const std::string structure = pdfTool(pdf(document()), "pdfinfo -struct-text", "");
  EXPECT_NE(structure.find("Den är nu flyttad till en annan vårdgivare, som kan ge dig en tid tidigare."),
            std::string::npos)
      << "words are glued together at a line end, or a ligature hides letters\n"
      << structure;
}

TEST_F(Layout, WorkersWithFontsOfTheirOwnAgree) {
  const std::string expected = pdf(document(12));
  std::vector<std::thread> workers;
  std::vector<int> same(4, 0);
  for (int& count : same) {
    workers.emplace_back([&] {
      const auto fonts = openFonts();
      for (int i = 0; i < 8; ++i) {
        fhir::Issues issues;
        const auto list = layOut(document(i % 2 == 0 ? 12 : 3), profile_, *fonts, issues);
        const auto bytes = writePdf(*list, *parseInstant("2026-11-22T08:00:00Z"), *fonts);
        if (bytes.ok() && *bytes == expected) ++count;
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(same, std::vector<int>(4, 4));
}

TEST_F(Layout, FontsComeFromTheNamedDirectoriesOnly) {
  const auto fonts = Fonts::open({"/usr/share/fonts/truetype/noto"});
  ASSERT_FALSE(fonts.ok());
  EXPECT_EQ(fonts.error().code, Code::NotFound);
  EXPECT_NE(fonts.error().message.find("LiberationSans-Regular.ttf"), std::string::npos);
}

TEST(PrintProfile, TellsEveryFault) {
  fhir::Issues issues;
  EXPECT_FALSE(parseProfile("page: 210\nwindo: 1 2 3 4\n", "x.profile", issues).ok());
  ASSERT_GE(issues.list().size(), 4U);
  EXPECT_EQ(issues.list()[0].source, "x.profile:1");
  EXPECT_EQ(issues.list()[1].source, "x.profile:2");
}

}  // namespace
}  // namespace lotsen::letter
