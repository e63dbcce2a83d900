package mpegclient

import (
	"image"
	"image/color"
)

// Image gives one frame as an image that shares the memory of Data: *image.RGBA, *image.Gray, or *RGBImage for frames of
// three channels.
func (f *Frames) Image(index int) image.Image {
	pixels, stride, bounds := f.Frame(index), f.Width*f.Channels, image.Rect(0, 0, f.Width, f.Height)
	switch f.PixelFormat {
	case RGBA:
		return &image.RGBA{Pix: pixels, Stride: stride, Rect: bounds}
	case Gray8:
		return &image.Gray{Pix: pixels, Stride: stride, Rect: bounds}
	default:
		return &RGBImage{Pix: pixels, Stride: stride, Rect: bounds, BGR: f.PixelFormat == BGR24}
	}
}

// RGBImage is an image of three bytes a pixel, which package image lacks. It is opaque.
type RGBImage struct {
	Pix    []byte // pixel (x, y) begins at (y - Rect.Min.Y) * Stride + (x - Rect.Min.X) * 3
	Stride int    // bytes from one row to the next
	Rect   image.Rectangle
	BGR    bool // blue comes first, not red
}

// ColorModel is that of image.RGBA.
func (p *RGBImage) ColorModel() color.Model { return color.RGBAModel }

// Bounds is the rectangle of the pixels.
func (p *RGBImage) Bounds() image.Rectangle { return p.Rect }

// Opaque tells encoders that they need no channel for opacity.
func (p *RGBImage) Opaque() bool { return true }

// At gives the colour of a pixel.
func (p *RGBImage) At(x, y int) color.Color { return p.RGBAAt(x, y) }

// RGBA64At spares package image/draw an allocation for each pixel.
func (p *RGBImage) RGBA64At(x, y int) color.RGBA64 {
	const widen = 0x101 // 0xff becomes 0xffff
	c := p.RGBAAt(x, y)
	return color.RGBA64{R: uint16(c.R) * widen, G: uint16(c.G) * widen, B: uint16(c.B) * widen, A: uint16(c.A) * widen}
}

// RGBAAt is At without an interface.
func (p *RGBImage) RGBAAt(x, y int) color.RGBA {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return color.RGBA{}
	}
	at := (y-p.Rect.Min.Y)*p.Stride + (x-p.Rect.Min.X)*3
	first, green, last := p.Pix[at], p.Pix[at+1], p.Pix[at+2]
	if p.BGR {
		first, last = last, first
	}
	return color.RGBA{R: first, G: green, B: last, A: 0xff}
}
