# The one style of all figures. A figure's script sets `format`, `width_pt` and `height_pt`, loads this
# file and draws. Sizes are in points: 241 pt are one column of a paper (8.5 cm), 496 pt are two
# (17.5 cm); text is 8 pt. On screens a point is 1.5 pixels, in PNG 3.

set encoding utf8
set termoption noenhanced

terminal_svg = sprintf("set terminal svg size %.0f,%.0f noenhanced font 'Helvetica,Arial,sans-serif,12' linewidth 1 background '#ffffff'", width_pt * 1.5, height_pt * 1.5)
terminal_png = sprintf("set terminal pngcairo size %.0f,%.0f noenhanced font 'sans,9' fontscale 2 linewidth 2 pointscale 2 background '#ffffff'", width_pt * 3, height_pt * 3)
terminal_pdf = sprintf("set terminal pdfcairo size %.4fin,%.4fin noenhanced font 'sans,6' fontscale 1 linewidth 1 background '#ffffff'", width_pt / 72.0, height_pt / 72.0)
eval (format eq "svg" ? terminal_svg : format eq "png" ? terminal_png : terminal_pdf)

# A size is a pixel in SVG; cairo takes 4/3 of one for it.
text_scale = format eq "svg" ? 1.5 : format eq "png" ? 1.125 : 0.75
font_title = sprintf(",%.4g", 9.5 * text_scale)
font_text = sprintf(",%.4g", 8 * text_scale)
font_note = sprintf(",%.4g", 7 * text_scale)

grey_dark = "#404040"
grey_note = "#606060"
grey_pale = "#e4e4e4"

colours = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9"
colour(i) = word(colours, (int(i) - 1) % 6 + 1)

# Okabe and Ito's colours, each with its own dash and marker; past six the dash changes.
set style line 1 lc rgb "#0072B2" lw 1.6 dt 1 pt 7 ps 0.45
set style line 2 lc rgb "#D55E00" lw 1.6 dt (9, 3) pt 5 ps 0.42
set style line 3 lc rgb "#009E73" lw 1.6 dt (4, 2.5) pt 9 ps 0.5
set style line 4 lc rgb "#CC79A7" lw 1.6 dt (9, 3, 2, 3) pt 13 ps 0.55
set style line 5 lc rgb "#E69F00" lw 1.6 dt (14, 4) pt 11 ps 0.5
set style line 6 lc rgb "#56B4E9" lw 1.6 dt (1.5, 2.5) pt 6 ps 0.45
set style line 7 lc rgb "#0072B2" lw 1.6 dt (3, 2) pt 4 ps 0.45
set style line 8 lc rgb "#D55E00" lw 1.6 dt 1 pt 8 ps 0.5
set style line 9 lc rgb "#009E73" lw 1.6 dt (9, 3) pt 12 ps 0.55
set style line 10 lc rgb "#CC79A7" lw 1.6 dt (1.5, 2.5) pt 10 ps 0.5
set style line 11 lc rgb "#E69F00" lw 1.6 dt (9, 3, 2, 3) pt 2 ps 0.45
set style line 12 lc rgb "#56B4E9" lw 1.6 dt 1 pt 1 ps 0.45

# A number above a bar: three digits, never an exponent.
shown(x) = abs(x) >= 100 ? sprintf("%.0f", x) : sprintf("%.3g", x)

# Error bars, drawn over the colours; the grid.
set style line 21 lc rgb grey_dark lw 1.3 dt 1
set style line 22 lc rgb grey_pale lw 0.8 dt 1

set border 3 lc rgb grey_dark lw 1
set tics out nomirror scale 0.6 font font_text textcolor rgb grey_dark
set grid ytics noxtics ls 22
set grid back
set style fill solid 1.0 noborder
unset key

# Viridis, for heat maps.
set palette defined (0 "#440154", 0.125 "#472d7b", 0.25 "#3b528b", 0.375 "#2c728e", \
	0.5 "#21918c", 0.625 "#28ae80", 0.75 "#5ec962", 0.875 "#addc30", 1 "#fde725")

# Space-time figures. What passes with clients is grey; lifelines, of one who leads and of one who is down;
# marks.
set style line 31 lc rgb "#606060" lw 1.2 dt 1
set style line 32 lc rgb "#606060" lw 1.2 dt (5, 2.5)
set style line 33 lc rgb "#606060" lw 1.2 dt (1.5, 2)
set style line 41 lc rgb "#a0a0a0" lw 1.2 dt 1
set style line 42 lc rgb "#808080" lw 5 dt 1
set style line 43 lc rgb "#a0a0a0" lw 1.2 dt (2, 5)
set style line 44 lc rgb "#000000" lw 1 dt 1 pt 7 ps 0.75
set style line 45 lc rgb "#000000" lw 1.3 dt 1 pt 10 ps 0.75
set style line 46 lc rgb "#000000" lw 1.3 dt 1 pt 13 ps 0.9
set style line 47 lc rgb "#000000" lw 2 dt 1 pt 2 ps 0.9
set style line 48 lc rgb "#b00020" lw 1.6 dt 1 pt 2 ps 0.6
set style line 49 lc rgb "#e00000" lw 1.6 dt 1
set style line 50 lc rgb "#000000" lw 1.3 dt 1 pt 8 ps 0.75
