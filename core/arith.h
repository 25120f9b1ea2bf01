/*
 * arith: exp, log and square root that give the same bits on every machine.
 *
 * The C library picks variants by CPU, and their last bits differ; a seed would then not mean the same
 * everywhere. These use IEEE additions, multiplications and divisions in a fixed order alone, and the
 * project is compiled without contraction (-ffp-contract=off). Relative error below 1e-14 in the
 * ranges used; not for NaN or infinity.
 */
#ifndef CORE_ARITH_H
#define CORE_ARITH_H

double arith_exp(double x); /* -700 < x < 700 */
double arith_log(double x); /* x > 0, normal */
double arith_sqrt(double x); /* x >= 0; correctly rounded by IEEE 754 */

/* The z below which a standard normal variable lies with probability p, 0 < p < 1; relative error
   below 2e-9 (P. J. Acklam's rational approximation, three regions). */
double arith_normal_quantile(double p);

#endif
