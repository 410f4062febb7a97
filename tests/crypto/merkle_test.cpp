#include <boost/test/unit_test.hpp>

#include <string>

#include "crypto/digest.h"
#include "crypto/merkle.h"

using namespace district;
using namespace district::crypto;

namespace {

// Any distinct hashes do as leaves.
std::vector<Sha256Digest> some_leaves(std::size_t count) {
  std::vector<Sha256Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(merkle_leaf_hash(as_bytes("leaf " + std::to_string(i))));
  }
  return leaves;
}

std::span<const Sha256Digest> first(const std::vector<Sha256Digest>& leaves, std::size_t count) {
  return std::span<const Sha256Digest>(leaves).first(count);
}

void flip(Sha256Digest& digest) { digest[7] ^= std::byte{1}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(merkle)

// The vectors that the implementations of Certificate Transparency share (RFC 6962 and 9162 hash
// alike): github.com/google/certificate-transparency, merkle_tree_test.
BOOST_AUTO_TEST_CASE(roots_equal_the_known_vectors_of_certificate_transparency) {
  const char* entries[] = {"",
                           "00",
                           "10",
                           "2021",
                           "3031",
                           "40414243",
                           "5051525354555657",
                           "606162636465666768696a6b6c6d6e6f"};
  const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  MerkleFrontier frontier;
  BOOST_TEST(to_hex(frontier.root()) ==
             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  std::vector<Sha256Digest> leaves;
  for (std::size_t i = 0; i < std::size(entries); ++i) {
    leaves.push_back(merkle_leaf_hash(*from_hex(entries[i])));
    frontier.append(leaves.back());
    BOOST_TEST(to_hex(frontier.root()) == roots[i]);
    BOOST_TEST(to_hex(merkle_root(leaves)) == roots[i]);
  }
}

BOOST_AUTO_TEST_CASE(frontier_has_the_root_of_the_definition_at_every_size) {
  const auto leaves = some_leaves(130);
  MerkleFrontier frontier;
  BOOST_TEST((frontier.root() == merkle_root({})));
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    frontier.append(leaves[size - 1]);
    BOOST_TEST_CONTEXT("size " << size) {
      BOOST_TEST(frontier.size == size);
      BOOST_TEST((frontier.root() == merkle_root(first(leaves, size))));
      const auto restored = MerkleFrontier::unpack(size, frontier.pack());
      BOOST_REQUIRE(restored);
      BOOST_TEST((restored->root() == frontier.root()));
      frontier = *restored;  // growing a restored one must give the same
    }
  }
}

BOOST_AUTO_TEST_CASE(a_packed_frontier_of_another_length_is_refused) {
  MerkleFrontier frontier;
  for (const auto& leaf : some_leaves(3)) frontier.append(leaf);
  auto packed = frontier.pack();
  BOOST_TEST(!MerkleFrontier::unpack(4, packed));
  BOOST_TEST(MerkleFrontier::unpack(5, packed).has_value());  // two subtrees as well
  packed.pop_back();
  BOOST_TEST(!MerkleFrontier::unpack(3, packed));
  BOOST_TEST(!MerkleFrontier::unpack(3, {}));
  BOOST_TEST(MerkleFrontier::unpack(0, {}).has_value());
}

BOOST_AUTO_TEST_CASE(every_inclusion_proof_verifies_and_fails_after_any_change) {
  const auto leaves = some_leaves(20);
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    const auto tree = first(leaves, size);
    auto root = merkle_root(tree);
    for (std::size_t index = 0; index < size; ++index) {
      auto path = inclusion_proof(tree, index);
      BOOST_TEST_CONTEXT("leaf " << index << " of " << size) {
        BOOST_TEST(verify_inclusion(leaves[index], index, size, path, root));
        for (std::size_t other = 0; other <= size; ++other) {
          if (other != index) BOOST_TEST(!verify_inclusion(leaves[index], other, size, path, root));
        }
        for (auto& node : path) {
          flip(node);
          BOOST_TEST(!verify_inclusion(leaves[index], index, size, path, root));
          flip(node);
        }
        flip(root);
        BOOST_TEST(!verify_inclusion(leaves[index], index, size, path, root));
        flip(root);
        auto longer = path;
        longer.push_back(root);
        BOOST_TEST(!verify_inclusion(leaves[index], index, size, longer, root));
        if (!path.empty()) {
          const auto shorter = std::span<const Sha256Digest>(path).first(path.size() - 1);
          BOOST_TEST(!verify_inclusion(leaves[index], index, size, shorter, root));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_consistency_proof_verifies_and_fails_after_any_change) {
  const auto leaves = some_leaves(20);
  for (std::size_t second = 1; second <= leaves.size(); ++second) {
    auto second_root = merkle_root(first(leaves, second));
    for (std::size_t size = 1; size <= second; ++size) {
      auto first_root = merkle_root(first(leaves, size));
      auto path = consistency_proof(first(leaves, second), size);
      BOOST_TEST_CONTEXT(size << " leaves of " << second) {
        BOOST_TEST(verify_consistency(size, first_root, second, second_root, path));
        for (auto& node : path) {
          flip(node);
          BOOST_TEST(!verify_consistency(size, first_root, second, second_root, path));
          flip(node);
        }
        flip(first_root);
        BOOST_TEST(!verify_consistency(size, first_root, second, second_root, path));
        flip(first_root);
        flip(second_root);
        BOOST_TEST(!verify_consistency(size, first_root, second, second_root, path));
        flip(second_root);
        auto longer = path;
        longer.push_back(second_root);
        BOOST_TEST(!verify_consistency(size, first_root, second, second_root, longer));
        if (!path.empty()) {
          const auto shorter = std::span<const Sha256Digest>(path).first(path.size() - 1);
          BOOST_TEST(!verify_consistency(size, first_root, second, second_root, shorter));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(proofs_of_nothing_or_of_too_much_are_refused) {
  const auto leaves = some_leaves(2);
  const auto root = merkle_root(leaves);
  BOOST_TEST(!verify_inclusion(leaves[0], 0, 0, {}, root));
  BOOST_TEST(!verify_inclusion(leaves[0], 2, 2, {}, root));
  BOOST_TEST(!verify_consistency(0, root, 2, root, {}));
  BOOST_TEST(!verify_consistency(2, root, 1, root, {}));
}

BOOST_AUTO_TEST_SUITE_END()
