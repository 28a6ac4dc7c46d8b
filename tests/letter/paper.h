// Shared by the tests of letters: the fonts and print profile of the checkout, and a PDF read back with poppler's
// tools.
#pragma once

#include "gateway/base/text.h"
#include "gateway/letter/fonts.h"
#include "gateway/letter/profile.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace lotsen::letter {

inline std::unique_ptr<Fonts> openFonts() {
  auto fonts = Fonts::open({"/usr/share/fonts/truetype/noto", "/usr/share/fonts/truetype/liberation"});
  EXPECT_TRUE(fonts.ok()) << (fonts.ok() ? "" : fonts.error().message);
  return std::move(fonts).value();
}

inline PrintProfile openProfile() {
  std::string text;
  EXPECT_TRUE(readFile(std::string(LOTSEN_SOURCE_DIR) + "/templates/print/c5-h2.profile", text));
  fhir::Issues issues;
  auto profile = parseProfile(text, "c5-h2.profile", issues);
  EXPECT_TRUE(profile.ok());
  return profile.value();
}

inline std::string outputOf(const std::string& command) {
  std::string output;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  char buffer[4096];
  for (std::size_t n = 0; pipe && (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) output.append(buffer, n);
  return output;
}

/// Runs `tool` on the PDF: "pdftotext -layout FILE -" is pdfTool(pdf, "pdftotext -layout", "-").
inline std::string pdfTool(const std::string& pdf, const std::string& tool, const std::string& after) {
  const auto path = std::filesystem::temp_directory_path() / ("lotsen-letter-" + std::to_string(::getpid()) + ".pdf");
  std::ofstream(path, std::ios::binary) << pdf;
  auto output = outputOf(tool + " " + path.string() + " " + after + " 2>&1");
  std::filesystem::remove(path);
  return output;
}

inline std::string pdfText(const std::string& pdf) {
  return pdfTool(pdf, "pdftotext", "-");
}

}  // namespace lotsen::letter
