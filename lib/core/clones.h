/* clones: TV_CLONES compiles a function for AVX2, too, and picks one when the program starts.
 *
 * Only for functions where wider vectors cannot change a bit: elementwise work, and sums whose lanes are
 * written out. (The build contracts nothing into fused multiply-adds.) Off under sanitizers, which are not
 * yet set up when the choice is made, and under clang, which builds the fuzz targets alone.
 */
#ifndef TRIVET_CORE_CLONES_H
#define TRIVET_CORE_CLONES_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&     \
    !defined(__SANITIZE_THREAD__)
#define TV_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define TV_CLONES
#endif

#endif
