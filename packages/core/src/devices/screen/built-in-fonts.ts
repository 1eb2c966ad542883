/**
 * Fonts of 8 by 16 pixels: the VGA font in its variants for cells of nine pixels (SeaBIOS) and of eight pixels (Linux
 * consoles), and `Lat15-Fixed16`, the default of Debian's console.
 */

/** A built-in font. */
export interface BuiltInFont {
  /** 16 bytes per glyph, compressed by deflate, in base64. */
  readonly glyphs: string
  /** The characters of the glyphs, in order. */
  readonly characters: string
}

/** Characters of code page 437, in order. */
const CP437 =
  ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼ !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ '

/** The built-in fonts. */
export const BUILT_IN_FONTS: readonly BuiltInFont[] = [
  {
    glyphs:
      'fVdPa+NGFBcp6CS86W1oTHLJBxAtJKIVNiz9Cr2LbFH3IFqfsoIK7eaSj1AIPffS7xBwIxh6MDkuBrkmJ/tSimEh60PQ9L35+2Y27XOC/dN7M+//m1EUhdRe/XZ1dXtzddVqLHohuq0QrZGoBqAmOzT4MGsoZHm+3W4Zyy1uYbHDSoSpX0LStkMFSPJhXr58WeaO393c3t50mn88+uLLegFUR1oYKGegQOHpV9MUaLZ7UPjtq7evgH7YbuZaOevzbd5r+Xfzh91+2O8e5u8kPohHx5NhcjyKD6z5jLHWGByViuBb79/3/c9HSBI2vMgqzqss4Q2JKoYs2K+lGMmYJ8kphEfJkDCyWVoMRUpzNp/PBwJPS1GeOniYZU0zDMSWpslcvgKC3ORojLYHXD31BapqqOS/srbhd/Mmjq95Yzy44wlLC36tUFZV2eUK8nWpbE/TwtsOZCWxRDvHEknMeVjmIi+piS7b5BlZEA3P+GVXHMRon8431E/X9X3X6YKLWFbrDEQ6oUqcDxbHeRzHJr3JOK8WAxh8rFVDMp4IPysAcyCNB1ivfDb7AYvw8XcL65Pas5w4rLFxV5oHUYtdC8s/Q5KHMnb/hORXPliv16t5Y6oFyndAgxR+ggposOKfTLzuwMP5nYnXvlINUe21f+XF6/p1cVEOHi6KHVm/5rz8WmHUJNVpfbluADMvjmU1uH7fgKq6BqUbhXeFJKsPJwmkE0jvv3kc1vdufxlrEm/pX+Hs0/z36yYZWT76uLH8Iktiu170N569PNi/U1Safpao74WZH5LFsAotv8zJfqK7xuT90Qkdn1STmacwwWbZ2M6rPNGUm2xG/0UC25F9+rxOGtuv0UNR1DLFbpw1HArA+DcGTdXCyUv+4PhZ9X2xI/EFukTxRZPIlML+1WXp4gt1mdF4xnE0iiWVsuRAXhWAls+CesESET2SxSs9sp19JD+W31gTjX2mpVeXpWc/zng73g/T9AnTcTa2fLmcxMPLv8JYAA4DEwrAYlU/bZyYllrgPNX1PQJXZ+jvyJ0XETk/kIcybKadWYXplR1uttP9DO2cxNKjhW8/zmGaT1js18fCrxeYNh7OqsyXR42QQlBnCtSvF+7XD+7n8cvIqw8InIdRnmLuBpoxh2Ici0NZQO5Ld2b8+M1Ru1y9UWACxT1gPO4jZy+pH+7Xk7LX4bReePFEvlcfnOS7Rth484NH/jyBc6mDfHXmBLTttXlyxSTgo/kwvpqL8ieo7w+qfI6YPD6BljMdAJofzLcXX+BTfxB79kN9kf4CZAeuSnZVTehphNeBiN6M4BxM8Xil1yU8Q+f09oTtb646dxzb4f7XODlxuLz/ZaJEVDfkOem3s2pZnZHtAFVL9fPzb/3Pd7/7n7/e+B/2PO0DZPGZokf9bawYPBzKP8ZWPiQdDp//GNva1U8Gci2S9gQjYB/Yf+LJMybCkyKUZ96dNRLh+kD6JIjHuWf/eTr1tE1Tn/8xEsG59TFYf+7FRzh5vd7Ka+9EEK9wfxH6F6Rh6vl74uIn6eST+EyD9cK3h4XxDfNl9xMBRfQ1CmgX0IuA/GXmPF4tl8uV7md8t1ouoH0X5r6Kpz1tSLz+IxnIYaa58wnvn0ukWUTfmGDCzq06LzYty9UbnJ0QcjzDmLCQo7p/9H0QrrMT+c7n9MFh70bMZzHgD61RN04LHO9FOo6CCyB5WRjoK4N+vTBB0tdnO8T0ddvg0dHRMwOB+g+btfT+jkPSnspyHv7Py4p5YH68kHe7v6sqH+tZRlKBx/8yLf70y6dR9OwV8F8=',
    characters: CP437,
  },
  {
    glyphs:
      'fVc/ayNHFF8c2GrROd0QC7u54srFAXkJiwRHvkKaVIsv7F0xBFfOQpa9c+Pv4PRp8h0Mwg5bLS6FQIpwJTWHERz4VJjZvDd/34ydPNlIv31vZt6/ee9tFIXUXPx5cXF9dXHRaNwv+v520/eNkeACqM72Dd7PagpZnm82G8ZyixtY7LASYepXL2lziwcgyYd5+fZtmTv+7dX19dWt5h8OvjuuOqAq0sJAOYMDFJ58P0mBzrb3Cn989/Ed0PvNeqoPZ4t8ky+0/Kfp/XYndtv76SeJ9+LB4ViMDwfxnlWfMdYYhaNSEXzr/ReLxe8HSBLWbZHxtuVZ0tbEq+iyYL+GYiSjniR3IDxKRMLIZmkhipTGbDqdCgLfcMHfOLifZXUtBNGlrjMXr4AgNjkqo/UBU1/7Ahx2l/9K27q9mdZxfNnWxoKbNmFp0V4qlHGenS8hXudK9zQtvO1AVhJLtHEskcSchWXe5yVV0UWbPCMLIvGCXXbFXoz66XhHGK3ZDCOm5bJKRyDSAVXirbA4zuM4NuFNhjnvBCh8qI+GYDwRflYAboE0FrBe2Wz2Axbh4+8G1ieVpzkxWGNjrlQPvBa7Kyz/DEkeytj9ExJf+WC1Wi2ntckWcIhAhRR+ggyoMeOfzH27AQunN/qCRjuuLgTfafvK0w/Vh+K0FB4uii1Zv2rb8geF8SR5nD4v1xfA1ItDmQ3uvq/hqKqCQ9cKbwtJ9rz2QYgZ2a9dP4rVncPS18Tf0r7C6af5s1WdDCwfbVxbfpElsV3fND97+rbB/hpxc+Hk5rOZeOAGc7iNNTf6qXLm9hPtJQbvxuRfnmoy9RQq2Fk2tPUqTzTlJprRf1Gvrtuz51VS2/sa3RdFJUPsylndQgIY+4ZwEu+cvOQLwh8dpxXqa/M5Okfxrk5kSGF/fl46/0JeZtSfcRwNYkmlTDmQVwmg5bMgX4A+C3DwzNm91CXb6UfiY/m1TQGjn7nSy/PS5Yeu8ba876fpE5o3Glq+XE78oROAYEwA7jDPMhonlTFNnJgr1WE91fEfgKlnaO/A6xe2fyAPZdiZsmX5LLzyhpvtyH1WKzpff6zDNJ6w2M+Pzs8XqDYezsBuT97ljzwP9/PypfXzB/fz+GXk5QeDzkAxylPcuoKm1UFs6xv0VVWgbP3A/BmNmvn8VwXGkNwC/XFn7ffyp/XzSenrcFp1nj+R7+VHS+JdIay9+tFGfj3Bhqu8x7R/fylkCVw/mfqBw1Bj8mHXdbu/uxWcp/JrcMBk+2RzlR/YF2h8MN6ef4FP7UHs6Q8JRu4XIFtwdX5xPqbtCOeBiIxG0AdTbK90XMIeOqXTE15/3c3uT0sOSiyhKo4dLu/+mCgR2drkEGOXj/icj8h2gPhc/fz2R//z01/+55/f/A97mXYBsnik6FF/Gy2Eh0P5x9jKh6Td4fMfY5u7+okgY5HUJygBu0D/I0+esT7sFKG8X3OiPlwfSB8F/jjx9D9JJ95pk9Tnf436oG99DdafeP7pnbxeb+W1dX3gr3D/PrQvCMPEs/fI+U/S0TP/TIL1va8PC/0bxsvu1wcU0dcooG1ArwLyl5l+vJzP50t9n/Hdat7B9e3M/IH1xruQOP9zzg0fShrpTzgSzZHO3Pxu+utUH0d90zDzBufmcUH6pWxWeNyDngdhYhnLFe48eAVzFeabGPCXRh8WDdOiwPkuHUbBAEheFgR9ZdCvF2ZHPT5brMdtgwcHBy9VBOoABrLM87dry7Ic/s/LitnB0Cs5233mPFf2cFpWZDtP2HHjv9ErenEE/Bc=',
    characters: CP437,
  },
  {
    glyphs:
      'fVfNaxtHFB+2S5gUoS5ChCVs3WUZiq2TEoqjmkVZDxuxK4JiC1xSV1BHFJFDDzkVY8Sqx9KTKeSQYyA+tKfeSv6L0v+kPeVUd958vh3ZfSKxfnpvZt/3e0sIITl/c/X27dUbnhNJOX9/dfX+1yvAnSEhh4dZ1qdAiv+oqqqZ+Fc9UpjSJBmPk8TwCdmv62dVVe8Twtj2eUnX5gtN6GAzEP8rvob6NyM0Wq/XI+JRXau//N27KooGJyc/K/z3NyfHx0jul9ev//rzj98vLy8V3lDaHXVHWJ9Psyf1cbbQiOeMc5Zzo6GUdPozRdI2oMcXFxcHH0vS/ityzvMA/GdkHDUepsmA3kgDZz6h4b8h9l6UbtLI+KYMR2FpvBPSiNxKdAhnh0dRFK3/R0oRUfZmgtr8Xq/XMNaIBNDy47oade/WY63hg+n0C0rv7e1NFE5E+OO9J3zypfMmopDSSBKlIeAUvgFFUWo0qgfJoKZYw41/DSExRbbn23bFsfobBPKRaVHo3xmfTOdLzjSfxrtKgbGpBx50QLxxOAkCbuol7PRZWTZhGOoIF0WxDoLA8BNxdM25lW+EAmHo/JADC/Hh+1icD0ctzY36FltzhT1RGtEwaCWZS7QCmEKkcPqHNr4Qn+lX8/l8lu4Yf4j0b0AhhUF3qf/anhcWFlbf85JLKs+R/SDReLhA52ecTw50uXH9OP28sakA7f/PQkmlyXFeVkdnZ0dVqeULQ425b7U6PXX38eVyPp9OJxPu/MuRv6V9bf2ATlf5R45flSV354thx8V/Y0vW2YPvP4QGmPX7mH96ulpZ/ThjsXS6kW/3S8gX6vKv61pEV9svSyYMVPxfRZZeqey+tdI3UG10+/ecB2MbH+GXxRJ0Xi4cXyZArsspOJgA38RTeqix/A50G6WPZgcHpQhmmisP2fu1/cLsGMdflFVHZUBYDZU8JICNf0y9fCHkh1qRwa37XYTzNn+5MBlg7NEeBT7KD2k/JIA+b+3rGL663vmDQ4iZK+BDpd6+40MCOP3k8c/vB4HtGDIBGuNPKuudyie2h4bgD4EB9S4kwF8P6kk7ussei1/27g1m3K9nkIeJhfWHDQDHM2bt/GAeHnZaOIau2sonlD/wPHWfu595WN3X5uP8iD0M8g5LadTPQB2MwTq/X4kOVN99LPYX0392q2oD+84zZ7/LH+Zhra/FsedP4GNs/S3jjW7jZn/w+wmFgSu0M/2hqxNw/EJnl+geGzQgXz7/dvH9VOTbzK/HMxtfFx/A2J86/vb5gLH+D5/i+gLU7rdJsJPtEFuasA1kCcJQPwSmsbxfRs+bP7YL6mrMlmx3t38/K2cIo3yWow3vm70eYxVjvZ7GFQDxk9hffsran99O2h/pDaTPzasa/WC+xF6+gT8wBvtwvoE8xszD8Z32PAR9MIbzGDO2PT9hPv+D5rOgD57+n3i737U3EK59+fbEQ9u8Pm/4qBq4eZ/AOPbyHfzlz2doiMyNMTE9JtPpfL7MFgWqJnc/9+736qcowCHlue7n6oku/x92+hkgI480MvoEuVIgL3A9mH6N5qVaklr7DvyA5h94EMfL5JPnf+vva48IHoFjfz+R/R/NKzpU3RjvL+oXPM9GZVk9Fy6aP1Vcb/+AWjSvQMRIoPkkfd4m5b7V18WPyp+tt40oim/d4m/Y77OyXG2x9t0wXWVZefN5xzEZhvblxu3L5u1iY9ln8Z34DC3UAonCtBiWeVjA9P5PUtjHREtLreZyG0dmCic4P4j+0PJAp5euxSftdbbfXczC39CoMfs8ef6dyCfLFO+DcVq03+82iiwei2AWhciX/wA=',
    characters:
      '©®ÝŒ♦œŸ—†‡•…‰™№₮∅¤¦‼¶§¨¯↑↓→←³´¸¹ !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~¾ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿À¬½¼¡«»░▒Á│┤ÂÃÈÊËÌÍÎÏÐ┐└┴┬├─┼ÒÓÔÕ×ØÙÚÛÞãðõøýþĞğİ┘┌█ıŞşŠšßŽπžˆµ˜‘’‚“∞”„∩≡±≥≤‹›÷≈°€·≠ⁿ²■∈',
  },
]
