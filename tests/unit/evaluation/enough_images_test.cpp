#include "evaluation/enough_images.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

EvaluationConfig settings() {
  EvaluationConfig made;
  made.kid_subset_size = 20;
  made.splits = 10;
  made.neighbours = 3;
  made.density_neighbours = 5;
  return made;
}

/// The message for so many images; empty where they are enough.
std::string complaint(const ScorePlan& plan, const ImageCounts& counts) {
  try {
    require_enough_images(plan, settings(), counts);
    return {};
  } catch (const DataError& error) {
    return error.what();
  }
}

void expect_words(const std::string& message, const char* words) {
  EXPECT_NE(message.find(words), std::string::npos) << message;
}

TEST(EnoughImages, KidNeedsASubsetOfEitherSide) {
  const ScorePlan plan{.kid = true};
  EXPECT_EQ(complaint(plan, {20, 20}), "");
  expect_words(complaint(plan, {20, 19}),
               "subsets of 20 images, but there are 19 reference images");
  expect_words(complaint(plan, {19, 20}), "there are 19 images (evaluation.kid_subset_size)");
}

TEST(EnoughImages, InceptionScoreNeedsAnImageInEachSplit) {
  EXPECT_EQ(complaint({.inception_score = true}, {10, {}}), "");
  expect_words(complaint({.inception_score = true}, {9, {}}), "10 splits, but there are 9 images");
}

TEST(EnoughImages, PrecisionAndRecallNeedNeighboursOnBothSides) {
  const ScorePlan plan{.precision_recall = true};
  EXPECT_EQ(complaint(plan, {4, 4}), "");
  expect_words(complaint(plan, {3, 4}),
               "precision and recall need the neighbour number 3 of every image, but there are 3 "
               "images (evaluation.neighbours)");
  expect_words(complaint(plan, {4, 3}), "there are 3 reference images");
}

TEST(EnoughImages, DensityAndCoverageNeedNeighboursOfTheReferenceAlone) {
  const ScorePlan plan{.density_coverage = true};
  EXPECT_EQ(complaint(plan, {2, 6}), "");
  expect_words(complaint(plan, {100, 5}),
               "density and coverage need the neighbour number 5 of every image, but there are 5 "
               "reference images (evaluation.density_neighbours)");
}

TEST(EnoughImages, WhatIsNotKnownIsNotRefused) {
  const ScorePlan all{.fid = true,
                      .kid = true,
                      .inception_score = true,
                      .precision_recall = true,
                      .density_coverage = true};
  EXPECT_EQ(complaint(all, {}), "");
  EXPECT_EQ(complaint({.fid = true}, {2, 2}), "");
}

}  // namespace
}  // namespace effuse
