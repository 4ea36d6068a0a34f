//! Many lines as one mesh: links and grids cost one shape per frame, and no tessellation.

use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Pos2, Rect, Shape, Vec2};

/// Lines and boxes on their way to the screen, in points of the screen.
#[derive(Default)]
pub struct Strokes {
    mesh: Mesh,
    feather: f32,
}

impl Strokes {
    /// Edges fade over one pixel.
    pub fn new(pixels_per_point: f32) -> Self {
        Self {
            mesh: Mesh::default(),
            feather: 1.0 / pixels_per_point,
        }
    }

    fn vertex(&mut self, pos: Pos2, color: Color32) {
        self.mesh.vertices.push(Vertex {
            pos,
            uv: WHITE_UV,
            color,
        });
    }

    /// A line along points.
    pub fn line(&mut self, points: &[Pos2], width: f32, colour: Color32) {
        if points.len() < 2 {
            return;
        }
        // Thinner than a pixel: a pixel wide, and fainter.
        let (width, colour) = if width < self.feather {
            (self.feather, colour.gamma_multiply(width / self.feather))
        } else {
            (width, colour)
        };
        let inner = (width - self.feather).max(0.0) / 2.0;
        let outer = inner + self.feather;
        // A line of about a pixel needs no core: one ridge between two edges that fade.
        let thin = inner < self.feather * 0.3;
        let across_points = if thin { 3 } else { 4 };
        let first = self.mesh.vertices.len() as u32;
        for (at, &point) in points.iter().enumerate() {
            let before = points[at.saturating_sub(1)];
            let after = points[(at + 1).min(points.len() - 1)];
            let along = (after - before).normalized();
            let across = Vec2::new(-along.y, along.x);
            self.vertex(point + across * outer, Color32::TRANSPARENT);
            if thin {
                self.vertex(point, colour);
            } else {
                self.vertex(point + across * inner, colour);
                self.vertex(point - across * inner, colour);
            }
            self.vertex(point - across * outer, Color32::TRANSPARENT);
        }
        for segment in 0..points.len() as u32 - 1 {
            let a = first + segment * across_points;
            for strip in 0..across_points - 1 {
                let corner = a + strip;
                let next = corner + across_points;
                self.mesh.add_triangle(corner, corner + 1, next);
                self.mesh.add_triangle(corner + 1, next, next + 1);
            }
        }
    }

    /// A filled box with hard edges.
    pub fn area(&mut self, rect: Rect, colour: Color32) {
        self.mesh.add_colored_rect(rect, colour);
    }

    /// The mesh as a shape.
    pub fn shape(self) -> Shape {
        Shape::mesh(self.mesh)
    }
}
